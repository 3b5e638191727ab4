import { expect } from 'chai';
import fc from 'fast-check';
import { AGGREGATIONS, type Aggregation } from '#domain/metering/accumulator.ts';
import { fromScaled } from '#domain/metering/quantity.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, dayOf } from '#domain/instant.ts';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { WINDOW_UNITS, type WindowUnit } from '#domain/calendar/window.ts';
import { ZONES } from '#test/domain/calendar/zones.ts';
import { readingPlan } from '#domain/usage/reading-plan.ts';
import { firstWindows, usageQuery, type UsageQuery, type UsageRequest } from '#domain/usage/usage-query.ts';
import { positionOf, usageRows, type UsageRow } from '#domain/usage/usage-rows.ts';
import { loadPlan, naiveRows, type MeteredEvent } from './usage-model.ts';

/** Around these days one or more of the zones change their clocks, or skip a day. */
const EVENTFUL_DAYS = [
  '2018-11-04',
  '2011-12-30',
  '2024-03-31',
  '2024-04-07',
  '2024-10-27',
  '2026-03-08',
  '2026-11-01',
].map((date) => parseRfc3339(`${date}T00:00:00Z`)!.at);
/** Far more windows than these prove nothing more. */
const LONGEST_RANGE: Record<WindowUnit, number> = {
  minute: 5 * MICROS_PER_HOUR,
  hour: 4 * MICROS_PER_DAY,
  day: 6 * MICROS_PER_DAY,
  month: 6 * MICROS_PER_DAY,
  none: 6 * MICROS_PER_DAY,
};

const hash = fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n >> 8, n & 255).repeat(8));
const quantity = fc.oneof(
  fc.integer({ min: -50, max: 50 }),
  fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }).map(fromScaled),
  fc.constantFrom(...[1n, -1n, 333_333_333_333_333_333n, 5n * 10n ** 17n].map(fromScaled)),
);
const names = fc.constantFrom('', 'a', 'b', '"', 'é');

/** Offsets are in half minutes, so that events share minutes, boundaries and instants. */
const eventAround = (origin: number): fc.Arbitrary<MeteredEvent> =>
  fc.record({
    subject: fc.constantFrom('acme', 'zeta', 'Zürich/7'),
    time: fc
      .integer({ min: -3 * 2_880, max: 3 * 2_880 })
      .map((half) => origin + (half * MICROS_PER_MINUTE) / 2),
    identity: hash,
    value: quantity,
    distinct: fc.constantFrom('x', 'y', 'z').map((letter) => letter.repeat(16)),
    group: fc.tuple(names, names),
    slot: fc.integer({ min: 0, max: 2 }),
  });

interface Question {
  readonly events: readonly MeteredEvent[];
  readonly query: UsageQuery;
}

const questionAround = (
  origin: number,
  aggregation: Aggregation,
  window: WindowUnit,
): fc.Arbitrary<Question> =>
  fc
    .record({
      events: fc.uniqueArray(eventAround(origin), { maxLength: 30, selector: ({ identity }) => identity }),
      atEdges: fc.array(fc.option(fc.nat({ max: 3 }), { freq: 2 }), { maxLength: 30 }),
      timezone: fc.constantFrom(...ZONES),
      start: fc.integer({ min: -3 * 1_440, max: 2 * 1_440 }),
      length: fc.integer({ min: 1, max: LONGEST_RANGE[window] / MICROS_PER_MINUTE }),
      rolled: fc.option(fc.integer({ min: -4, max: 4 })),
      groupBy: fc.subarray(['region', 'model', 'subject']),
      filter: fc.option(fc.record({ model: fc.subarray(['', 'a', 'b']) })),
      fingerprints: fc.boolean(),
    })
    .map(({ events, atEdges, timezone, start, length, rolled, groupBy, filter, fingerprints }) => {
      const from = origin + start * MICROS_PER_MINUTE;
      const request: UsageRequest = {
        aggregation,
        window,
        timezone,
        from,
        to: from + length * MICROS_PER_MINUTE,
        rolledThrough: rolled === null ? -1 : dayOf(origin) + rolled,
        dimensions: ['region', 'model'],
        groupBy,
        fingerprints,
        ...(filter ? { filter } : {}),
      };
      // Off by one microsecond is where an event is counted twice or not at all.
      const edges = [request.from - 1, request.from, request.to - 1, request.to];
      const moved = events.map((event, i) => ({ ...event, time: edges[atEdges[i] ?? NaN] ?? event.time }));
      return { events: moved, query: usageQuery(request) };
    });

const question = (aggregations: readonly Aggregation[] = AGGREGATIONS): fc.Arbitrary<Question> =>
  fc
    .tuple(
      fc.constantFrom(...EVENTFUL_DAYS),
      fc.constantFrom(...aggregations),
      fc.constantFrom(...WINDOW_UNITS),
    )
    .chain(([origin, aggregation, window]) => questionAround(origin, aggregation, window));

const answer = (query: UsageQuery, events: readonly MeteredEvent[]): UsageRow[] => [
  ...usageRows(query, loadPlan(query, readingPlan(query), events)),
];

describe('usage from cells', () => {
  for (const aggregation of AGGREGATIONS) {
    it(`${aggregation}: over any range, zone, window, grouping and rolled days is what its events come to one by one`, () => {
      fc.assert(
        fc.property(question([aggregation]), ({ events, query }) => {
          expect(answer(query, events)).to.deep.equal(naiveRows(query, events));
        }),
        { numRuns: 250 },
      );
    });
  }

  it('is the same whatever days are rolled and in whatever order cells come', () => {
    fc.assert(
      fc.property(question(), fc.integer({ min: -4, max: 4 }), ({ events, query }, shift) => {
        const other = { ...query, rolledThrough: dayOf(query.from) + shift };
        expect(answer(other, events.toReversed())).to.deep.equal(answer(query, events));
      }),
      { numRuns: 150 },
    );
  });

  it('goes on after any row with exactly the rows that were left, loading only what is left to read', () => {
    fc.assert(
      fc.property(question(), fc.nat(), ({ events, query }, pick) => {
        const rows = answer(query, events);
        const place = pick % Math.max(rows.length, 1);
        const last = rows[place];
        if (!last) return;
        const rest = { ...query, after: positionOf(query, last) };
        expect(answer(rest, events)).to.deep.equal(rows.slice(place + 1));
      }),
      { numRuns: 150 },
    );
  });

  it('split into pages of windows is the whole answer', () => {
    fc.assert(
      fc.property(question(), fc.integer({ min: 1, max: 40 }), ({ events, query }, windows) => {
        const rows: UsageRow[] = [];
        for (let from = query.from; from < query.to;) {
          const page = firstWindows({ ...query, from }, windows);
          rows.push(...answer(page, events));
          from = page.to;
        }
        expect(rows).to.deep.equal(answer(query, events));
      }),
      { numRuns: 60 },
    );
  });

  it('has groups that add up to the total, for count and sum', () => {
    fc.assert(
      fc.property(question(['count', 'sum']), ({ events, query }) => {
        const total = answer({ ...query, window: 'none', groupBy: [], bySubject: false }, events)[0]!.value!;
        const groups = answer({ ...query, window: 'none', groupBy: ['model'], bySubject: true }, events);
        expect(groups.reduce((sum, { value }) => sum + scaled(value!), 0n)).to.equal(scaled(total));
      }),
      { numRuns: 60 },
    );
  });

  it('has fingerprints that tell nothing else apart: without them, the answer and what is read for it are the same', () => {
    fc.assert(
      fc.property(question(), ({ events, query }) => {
        const [asked, plain] = [
          { ...query, fingerprints: true },
          { ...query, fingerprints: false },
        ];
        const rows = answer(asked, events).map(({ fingerprint: _, ...row }) => row);
        expect(rows).to.deep.equal(answer(plain, events));
        if (query.aggregation !== 'unique') expect(readingPlan(asked)).to.deep.equal(readingPlan(plain));
      }),
      { numRuns: 100 },
    );
  });

  it('asks for ranges that are disjoint, rising and not adjacent', () => {
    fc.assert(
      fc.property(question(), ({ query }) => {
        const { days, hours, valueDays } = readingPlan(query);
        for (const ranges of [days, hours, valueDays]) {
          ranges.forEach((range, i) => {
            expect(range.to).to.be.above(range.from);
            if (i > 0) expect(range.from).to.be.above(ranges[i - 1]!.to);
          });
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** A decimal string times 10^18. */
function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const magnitude = BigInt(whole + fraction.padEnd(18, '0'));
  return text.startsWith('-') ? -magnitude : magnitude;
}
