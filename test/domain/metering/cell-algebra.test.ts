import { expect } from 'chai';
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import {
  accumulate,
  AGGREGATIONS,
  emptyAccumulator,
  merge,
  type Accumulator,
  type Aggregation,
  type Contribution,
} from '#domain/metering/accumulator.ts';
import { addHourToDay, emptyDayCell, packDayCell, unpackDayCell } from '#domain/metering/day-cell.ts';
import {
  addReferences,
  emptyDistinctValue,
  mergeDistinctValue,
  packMinutes,
  unpackMinutes,
} from '#domain/metering/distinct-value.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import {
  emptyHourCell,
  mergeHourCell,
  minuteOf,
  packHourCell,
  unpackHourCell,
  type HourCell,
} from '#domain/metering/hour-cell.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import {
  HOURS_PER_DAY,
  MICROS_PER_HOUR,
  dayOf,
  dayStart,
  hourOf,
  hourStart,
  minuteOfHour,
} from '#domain/instant.ts';
import { quantities } from './cell-algebra-quantities.ts';

const HOUR = hourOf(Date.UTC(2026, 2, 1, 7) * 1_000);
const hash128 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => String.fromCharCode(...bytes));

/** Few distinct times, so that events share minutes and microseconds and `latest` has ties. */
const contribution = (hour: number, hours: number): fc.Arbitrary<Contribution> =>
  fc.record({
    time: fc
      .oneof(
        fc.integer({ min: 0, max: 6 }).map((n) => (n * hours * MICROS_PER_HOUR) / 7),
        fc.integer({ min: 0, max: hours * MICROS_PER_HOUR - 1 }),
      )
      .map((offset) => hourStart(hour) + Math.floor(offset)),
    identity: hash128,
    digest: hash128.map(fingerprintOf),
    value: quantities,
  });
const distinctEvents = (hour = HOUR, hours = 1): fc.Arbitrary<Contribution[]> =>
  fc.uniqueArray(contribution(hour, hours), { maxLength: 25, selector: ({ identity }) => identity });

function cellOf(aggregation: Aggregation, events: readonly Contribution[]): HourCell {
  const cell = emptyHourCell();
  for (const event of events) {
    accumulate(minuteOf(cell, minuteOfHour(event.time)), aggregation, event);
    accumulate(cell.totals, aggregation, event);
  }
  return cell;
}

const accumulatorOf = (aggregation: Aggregation, events: readonly Contribution[]): Accumulator => {
  const into = emptyAccumulator();
  for (const event of events) accumulate(into, aggregation, event);
  return into;
};

const merged = (aggregation: Aggregation, ...parts: readonly Accumulator[]): Accumulator => {
  const into = emptyAccumulator();
  for (const part of parts) merge(into, aggregation, part);
  return into;
};

/** `events` dealt out over `count` piles as `deal` says. */
const dealt = <Item>(items: readonly Item[], deal: readonly number[], count: number): Item[][] => {
  const piles = Array.from({ length: count }, (): Item[] => []);
  items.forEach((item, i) => piles[(deal[i] ?? 0) % count]!.push(item));
  return piles;
};

const deals = fc.array(fc.nat({ max: 9 }), { minLength: 25, maxLength: 25 });

for (const aggregation of AGGREGATIONS) {
  describe(`cell algebra of ${aggregation}`, () => {
    it('merges to the same bytes in any order, over any slots, in any grouping, with empty parts among them', () => {
      fc.assert(
        fc.property(
          distinctEvents(),
          deals,
          deals,
          fc.integer({ min: 1, max: 5 }),
          (events, slots, order, count) => {
            const whole = packHourCell(aggregation, cellOf(aggregation, events));
            const shuffled = events.map((event, i) => [order[i]!, event] as const).sort(([a], [b]) => a - b);
            const parts = dealt(shuffled, slots, count).map((pile) =>
              cellOf(
                aggregation,
                pile.map(([, event]) => event),
              ),
            );
            const [left, right] = [emptyHourCell(), emptyHourCell()];
            parts.forEach((part, i) => mergeHourCell(i % 2 === 0 ? left : right, aggregation, part));
            mergeHourCell(right, aggregation, emptyHourCell());
            mergeHourCell(right, aggregation, left);
            mergeHourCell(right, aggregation, emptyHourCell());
            expect(packHourCell(aggregation, right)).to.deep.equal(whole);
          },
        ),
        { numRuns: 150 },
      );
    });

    it('is associative and commutative and has the empty accumulator as its neutral element', () => {
      fc.assert(
        fc.property(distinctEvents(), deals, (events, deal) => {
          const [a, b, c] = dealt(events, deal, 3).map((pile) => accumulatorOf(aggregation, pile)) as [
            Accumulator,
            Accumulator,
            Accumulator,
          ];
          const m = (...parts: Accumulator[]): Accumulator => merged(aggregation, ...parts);
          expect(m(a, b)).to.deep.equal(m(b, a));
          expect(m(m(a, b), c)).to.deep.equal(m(a, m(b, c)));
          expect(m(a, emptyAccumulator())).to.deep.equal(a);
          expect(m(emptyAccumulator(), a)).to.deep.equal(a);
          expect(m(a, b, c)).to.deep.equal(accumulatorOf(aggregation, events));
        }),
        { numRuns: 150 },
      );
    });

    it('has totals that are the merge of its minutes', () => {
      fc.assert(
        fc.property(distinctEvents(), (events) => {
          const cell = cellOf(aggregation, events);
          expect(merged(aggregation, ...cell.minutes.values())).to.deep.equal(cell.totals);
        }),
        { numRuns: 100 },
      );
    });

    it('comes back from its packed form with the same bytes, the same totals and the same minutes', () => {
      fc.assert(
        fc.property(distinctEvents(), fc.boolean(), (events, dirty) => {
          const cell = Object.assign(cellOf(aggregation, events), { dirty });
          const packed = packHourCell(aggregation, cell);
          const unpacked = unpackHourCell(aggregation, packed);
          expect(packHourCell(aggregation, unpacked)).to.deep.equal(packed);
          expect([...unpacked.minutes].sort(([a], [b]) => a - b)).to.deep.equal(
            [...cell.minutes].sort(([a], [b]) => a - b),
          );
          if (events.length > 0) expect(unpacked.totals).to.deep.equal(cell.totals);
          expect(unpacked.dirty).to.equal(dirty);
        }),
        { numRuns: 150 },
      );
    });

    it('does not share state between a cell and the one that was merged into it', () => {
      fc.assert(
        fc.property(distinctEvents(), distinctEvents(), (first, second) => {
          const source = unpackHourCell(aggregation, packHourCell(aggregation, cellOf(aggregation, first)));
          const before = packHourCell(aggregation, source);
          const into = emptyHourCell();
          mergeHourCell(into, aggregation, source);
          mergeHourCell(into, aggregation, cellOf(aggregation, second));
          expect(packHourCell(aggregation, source)).to.deep.equal(before);
        }),
        { numRuns: 50 },
      );
    });

    it('rolled up, gives the day the same bytes whatever the order of hours and slots, also through the packed form', () => {
      fc.assert(
        fc.property(distinctEvents(HOUR - (HOUR % HOURS_PER_DAY), HOURS_PER_DAY), deals, (events, slots) => {
          const cells = dealt(events, slots, 3).flatMap((pile) =>
            [...Map.groupBy(pile, ({ time }) => hourOf(time))].map(
              ([hour, of]) => [hour, cellOf(aggregation, of)] as const,
            ),
          );
          const days = [cells, cells.toReversed()].map((order) => {
            const day = emptyDayCell();
            for (const [hour, cell] of order) addHourToDay(day, aggregation, hour, cell.totals);
            return packDayCell(aggregation, day);
          });
          expect(days[0]).to.deep.equal(days[1]);
          expect(packDayCell(aggregation, unpackDayCell(aggregation, days[0]!))).to.deep.equal(days[0]);
          expect(unpackDayCell(aggregation, days[0]!).totals.count).to.equal(events.length);
        }),
        { numRuns: 60 },
      );
    });
  });
}

const Exact = Decimal.clone({ precision: 200 });

describe('moments', () => {
  it('of a day are the sum of value x microseconds since the day began, from its hours', () => {
    const early = HOUR - (HOUR % HOURS_PER_DAY);
    fc.assert(
      fc.property(
        fc.constantFrom(early, -5 * HOURS_PER_DAY).chain((hour) => distinctEvents(hour, HOURS_PER_DAY)),
        (events) => {
          const day = emptyDayCell();
          for (const [hour, of] of Map.groupBy(events, ({ time }) => hourOf(time))) {
            addHourToDay(day, 'timeWeightedSum', hour, cellOf('timeWeightedSum', of).totals);
          }
          const naive = events.reduce(
            (sum, { time, value }) =>
              sum.add(new Exact(toDecimalString(value)).mul(time - dayStart(dayOf(time)))),
            new Exact(0),
          );
          expect(toDecimalString(day.totals.moment)).to.equal(naive.toFixed());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leave the hour that was rolled up as it was', () => {
    const cell = cellOf('timeWeightedSum', [
      {
        time: hourStart(HOUR) + 5,
        identity: 'a'.repeat(16),
        digest: fingerprintOf('b'.repeat(16)),
        value: 3,
      },
    ]);
    const before = packHourCell('timeWeightedSum', cell);
    addHourToDay(emptyDayCell(), 'timeWeightedSum', HOUR, cell.totals);
    expect(packHourCell('timeWeightedSum', cell)).to.deep.equal(before);
  });
});

describe('distinct values', () => {
  const references = fc.array(fc.tuple(fc.nat({ max: 1_439 }), fc.integer({ min: 1, max: 3_000 })), {
    maxLength: 30,
  });

  it('merge to the same bytes in any order and come back from them', () => {
    fc.assert(
      fc.property(references, deals, (added, deal) => {
        const whole = emptyDistinctValue();
        for (const [minute, count] of added) addReferences(whole, minute, count);
        const parts = dealt(added, deal, 3).map((pile) => {
          const part = emptyDistinctValue();
          for (const [minute, count] of pile) addReferences(part, minute, count);
          return unpackMinutes(packMinutes(part));
        });
        const sum = emptyDistinctValue();
        for (const part of parts.toReversed()) mergeDistinctValue(sum, part);
        expect(packMinutes(sum)).to.deep.equal(packMinutes(whole));
        expect(sum.references).to.equal(added.reduce((total, [, count]) => total + count, 0));
        expect(unpackMinutes(packMinutes(whole))).to.deep.equal(sum);
      }),
      { numRuns: 200 },
    );
  });

  it('are gone when every reference was taken back', () => {
    fc.assert(
      fc.property(references, (added) => {
        const value = emptyDistinctValue();
        for (const [minute, count] of added) addReferences(value, minute, count);
        for (const [minute, count] of added.toReversed()) addReferences(value, minute, -count);
        expect(value).to.deep.equal(emptyDistinctValue());
      }),
    );
  });
});
