import { expect } from 'chai';
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { WINDOW_UNITS, type TimeWindow, type WindowUnit } from '#domain/calendar/window.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, dayOf, type Instant } from '#domain/instant.ts';
import { AGGREGATIONS } from '#domain/metering/accumulator.ts';
import { splitBySpans } from '#domain/usage/counted-spans.ts';
import { readingPlan } from '#domain/usage/reading-plan.ts';
import { usageQuery, type UsageQuery } from '#domain/usage/usage-query.ts';
import { usageRows, type UsageRow } from '#domain/usage/usage-rows.ts';
import { ZONES } from '#test/domain/calendar/zones.ts';
import { loadPlan, naiveRows, type MeteredEvent } from './usage-model.ts';

const ORIGIN = parseRfc3339('2024-03-30T00:00:00Z')!.at;
const SUBJECTS = ['acme', 'zeta', 'Zürich/7'] as const;
type Spans = Readonly<Record<string, readonly TimeWindow[] | undefined>>;

const minutes = (count: number): number => count * MICROS_PER_MINUTE;

/** Up to three spans of whole minutes, in order and disjoint; undefined: all the time. */
const spans = fc.option(
  fc
    .uniqueArray(fc.integer({ min: -4_000, max: 8_000 }), { minLength: 0, maxLength: 6 })
    .map((edges) => edges.sort((a, b) => a - b))
    .map((edges) =>
      edges.flatMap((edge, place) =>
        place % 2 === 1 ? [{ from: ORIGIN + minutes(edges[place - 1]!), to: ORIGIN + minutes(edge) }] : [],
      ),
    ),
  { nil: undefined, freq: 4 },
);

const event: fc.Arbitrary<MeteredEvent> = fc.record({
  subject: fc.constantFrom(...SUBJECTS),
  time: fc.integer({ min: -8_000, max: 16_000 }).map((half) => ORIGIN + (half * MICROS_PER_MINUTE) / 2),
  identity: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n >> 8, n & 255).repeat(8)),
  value: fc.integer({ min: -50, max: 50 }),
  distinct: fc.constantFrom('x', 'y', 'z').map((letter) => letter.repeat(16)),
  group: fc.tuple(fc.constantFrom('', 'a'), fc.constantFrom('', 'b')),
  slot: fc.integer({ min: 0, max: 1 }),
});

const LONGEST_RANGE: Record<WindowUnit, number> = {
  minute: 5 * MICROS_PER_HOUR,
  hour: 3 * MICROS_PER_DAY,
  day: 5 * MICROS_PER_DAY,
  month: 5 * MICROS_PER_DAY,
  none: 5 * MICROS_PER_DAY,
};

const question = fc.record({
  events: fc.uniqueArray(event, { maxLength: 30, selector: ({ identity }) => identity }),
  spans: fc.record({ acme: spans, zeta: spans, 'Zürich/7': spans }),
  window: fc.constantFrom(...WINDOW_UNITS),
  timezone: fc.constantFrom(...ZONES),
  start: fc.integer({ min: -2_000, max: 2_000 }),
  share: fc.double({ min: 0.001, max: 1, noNaN: true }),
  rolled: fc.integer({ min: -2, max: 5 }),
  groupBy: fc.subarray(['region', 'model', 'subject']),
  fingerprints: fc.boolean(),
});

const countsAt = (of: Spans, { subject, time }: MeteredEvent): boolean =>
  of[subject]?.some(({ from, to }) => from <= time && time < to) ?? of[subject] === undefined;

/** What is no event adds nothing to a fingerprint. */
const NO_DIGEST = '\0'.repeat(16);

/** A subject brings its level with it: as if its level came when it begins to count and went when it ceases to. */
function withLevels(of: Spans, events: readonly MeteredEvent[]): MeteredEvent[] {
  const levelAt = (subject: string, group: readonly string[], at: Instant): number =>
    events
      .filter((each) => each.subject === subject && each.time < at && String(each.group) === String(group))
      .reduce((sum, { value }) => sum + Number(value), 0);
  const synthetic = SUBJECTS.flatMap((subject) =>
    (of[subject] ?? []).flatMap(({ from, to }) => {
      const groups = [...new Map(events.map(({ group }) => [String(group), group])).values()];
      return groups.flatMap((group) =>
        [
          { time: from, value: levelAt(subject, group, from) },
          { time: to, value: -levelAt(subject, group, to) },
        ]
          .filter(({ value }) => value !== 0)
          .map((change): MeteredEvent => ({
            ...events[0]!,
            ...change,
            subject,
            group,
            slot: 0,
            identity: NO_DIGEST,
          })),
      );
    }),
  );
  return [...events.filter((each) => countsAt(of, each)), ...synthetic];
}

const answer = (query: UsageQuery, events: readonly MeteredEvent[], of: Spans): UsageRow[] => {
  const usage = SUBJECTS.flatMap((subject) => {
    const own = events.filter((each) => each.subject === subject);
    const ofSubject = of[subject];
    return loadPlan(query, readingPlan(query, ofSubject), own).map((loaded) =>
      ofSubject === undefined ? loaded : { ...loaded, spans: ofSubject },
    );
  });
  return [...usageRows(query, usage)];
};

/** Rows of groups whose value is 0 may come from a level that came and went: whether they are there is not what is judged here. */
const withoutZeros = (query: UsageQuery, rows: readonly UsageRow[]): UsageRow[] =>
  query.aggregation === 'timeWeightedSum' && (query.bySubject || query.groupBy.length > 0)
    ? rows.filter(({ value }) => !new Decimal(value!).isZero())
    : [...rows];

describe('usage of subjects that count only some of the time', () => {
  for (const aggregation of AGGREGATIONS) {
    it(`${aggregation}: is that of the events, or for a level of the time, within their spans`, () => {
      fc.assert(
        fc.property(question, ({ events, spans: of, start, share, rolled, window, ...asked }) => {
          const from = ORIGIN + minutes(start);
          const query = usageQuery({
            ...asked,
            window,
            aggregation,
            from,
            to: from + MICROS_PER_MINUTE + Math.floor(LONGEST_RANGE[window] * share),
            rolledThrough: dayOf(ORIGIN) + rolled,
            dimensions: ['model', 'region'],
          });
          const counted =
            aggregation === 'timeWeightedSum'
              ? withLevels(of, events)
              : events.filter((each) => countsAt(of, each));
          expect(withoutZeros(query, answer(query, events, of))).to.deep.equal(
            withoutZeros(query, naiveRows(query, counted)),
          );
        }),
        { numRuns: 200 },
      );
    });
  }

  it('are cut at the edges of the spans, without a gap', () => {
    const window = { from: 0, to: 10 };
    const edges = [
      { from: -5, to: -1 },
      { from: 0, to: 2 },
      { from: 4, to: 30 },
      { from: 40, to: 50 },
    ];
    expect([...splitBySpans(window, edges)]).to.deep.equal([
      { from: 0, to: 2, counts: true },
      { from: 2, to: 4, counts: false },
      { from: 4, to: 10, counts: true },
    ]);
    expect([...splitBySpans(window, [])]).to.deep.equal([{ ...window, counts: false }]);
    expect([...splitBySpans(window, undefined)]).to.deep.equal([{ ...window, counts: true }]);
  });
});
