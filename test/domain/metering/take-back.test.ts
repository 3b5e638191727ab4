import { expect } from 'chai';
import fc from 'fast-check';
import {
  HOURS_PER_DAY,
  hourStart,
  minuteOfHour,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
} from '#domain/instant.ts';
import {
  accumulate,
  AGGREGATIONS,
  emptyAccumulator,
  merge,
  type Aggregation,
  type Contribution,
} from '#domain/metering/accumulator.ts';
import { addHourToDay, emptyDayCell } from '#domain/metering/day-cell.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import {
  emptyHourCell,
  mergeHourCell,
  minuteOf,
  packHourCell,
  type HourCell,
} from '#domain/metering/hour-cell.ts';
import { compare } from '#domain/metering/quantity.ts';
import { moveMinute, opposite, takeBackFromHour } from '#domain/metering/take-back.ts';
import { quantities } from './cell-algebra-quantities.ts';

const HOURS = [492_000, -7] as const;
const ADDITIVE: readonly Aggregation[] = ['count', 'sum', 'average', 'unique', 'timeWeightedSum'];

const hash128 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => String.fromCharCode(...bytes));

/** Events of one hour, in few minutes and with few values, so that extremes are often shared; hours before 1970, too. */
const events = fc.constantFrom(...HOURS).chain((hour) =>
  fc.uniqueArray(
    fc.record({
      time: fc
        .tuple(fc.constantFrom(0, 1, 59), fc.constantFrom(0, 7, MICROS_PER_MINUTE - 1))
        .map(([minute, micros]) => hourStart(hour) + minute * MICROS_PER_MINUTE + micros),
      identity: hash128,
      digest: hash128.map(fingerprintOf),
      value: fc.oneof(fc.constantFrom(-1, 0, 1), quantities),
    }),
    { minLength: 1, maxLength: 10, selector: ({ identity }) => identity },
  ),
);
const eventsAndOne = events.chain((all) => fc.tuple(fc.constant(all), fc.nat({ max: all.length - 1 })));

function cellOf(aggregation: Aggregation, of: readonly Contribution[]): HourCell {
  const cell = emptyHourCell();
  for (const event of of) {
    accumulate(minuteOf(cell, minuteOfHour(event.time)), aggregation, event);
    accumulate(cell.totals, aggregation, event);
  }
  return cell;
}

/** Whether what is left of a minute cannot be told from its accumulator: the event was its extreme or its latest, and not alone. */
function leavesUnknown(
  aggregation: Aggregation,
  event: Contribution,
  others: readonly Contribution[],
): boolean {
  if (others.length === 0) return false;
  const beats = (other: Contribution): boolean => {
    if (aggregation === 'min') return compare(other.value, event.value) < 0;
    if (aggregation === 'max') return compare(other.value, event.value) > 0;
    return other.time > event.time || (other.time === event.time && other.identity > event.identity);
  };
  return ['min', 'max', 'latest'].includes(aggregation) && !others.some(beats);
}

const takenBack = (cell: HourCell, aggregation: Aggregation, event: Contribution): HourCell | undefined =>
  takeBackFromHour(cell, aggregation, minuteOfHour(event.time), event);

for (const aggregation of AGGREGATIONS) {
  describe(`taking an event back from ${aggregation}`, () => {
    it('leaves the cell as if it had never been there, or dirty exactly where that cannot be known', () => {
      fc.assert(
        fc.property(eventsAndOne, ([all, index]) => {
          const event = all[index]!;
          const rest = all.filter((other) => other !== event);
          const left = takenBack(cellOf(aggregation, all), aggregation, event)!;
          const sameMinute = rest.filter(({ time }) => minuteOfHour(time) === minuteOfHour(event.time));
          expect(left.dirty).to.equal(leavesUnknown(aggregation, event, sameMinute));
          const expected = cellOf(aggregation, rest);
          if (!left.dirty)
            expect(packHourCell(aggregation, left)).to.deep.equal(packHourCell(aggregation, expected));
          // Count and fingerprint are right even in a dirty cell, so that the drift check can tell when it was mended.
          const { count, f0, f1, f2, f3 } = left.totals;
          expect({ ...expected.totals, count, f0, f1, f2, f3 }).to.deep.equal(expected.totals);
        }),
        { numRuns: 250 },
      );
    });

    it('leaves nothing when every event was taken back, in any order', () => {
      fc.assert(
        fc.property(
          events.chain((all) =>
            fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
          ),
          ([all, order]) => {
            let cell = cellOf(aggregation, all);
            for (const event of order) {
              const left = takenBack(cell, aggregation, event);
              expect(left).to.not.equal(undefined);
              cell = left!;
            }
            expect(cell.totals).to.deep.equal(emptyAccumulator());
            expect(cell.minutes.size).to.equal(0);
          },
        ),
        { numRuns: 150 },
      );
    });

    it('keeps a cell dirty that was', () => {
      fc.assert(
        fc.property(eventsAndOne, ([all, index]) => {
          const cell = Object.assign(cellOf(aggregation, all), { dirty: true });
          expect(takenBack(cell, aggregation, all[index]!)!.dirty).to.equal(true);
        }),
        { numRuns: 30 },
      );
    });

    it('does not touch a cell whose minute has no event, or only another one', () => {
      fc.assert(
        fc.property(events, hash128, (all, digest) => {
          const [event] = all as [Contribution];
          const stranger = { ...event, identity: 'x'.repeat(16), digest: fingerprintOf(digest) };
          for (const cell of [emptyHourCell(), cellOf(aggregation, [event])]) {
            const before = packHourCell(aggregation, cell);
            expect(takenBack(cell, aggregation, stranger)).to.equal(undefined);
            expect(packHourCell(aggregation, cell)).to.deep.equal(before);
          }
        }),
        { numRuns: 60 },
      );
    });

    it('from a minute that was moved out of another slot is the same', () => {
      fc.assert(
        fc.property(events, fc.infiniteStream(fc.boolean()), fc.boolean(), (all, coins, dirty) => {
          const slots = Map.groupBy(all, () => coins.next().value as boolean);
          const into = cellOf(aggregation, slots.get(true) ?? []);
          const from = Object.assign(cellOf(aggregation, slots.get(false) ?? []), { dirty });
          const minute = minuteOfHour(all[0]!.time);
          const had = from.minutes.has(minute);
          const left = moveMinute(from, into, aggregation, minute);
          expect(left.minutes.has(minute)).to.equal(false);
          expect(into.dirty).to.equal(had && dirty);
          expect(left.dirty).to.equal(dirty);
          const expected = cellOf(aggregation, all).minutes.get(minute);
          if (had) expect(into.minutes.get(minute)).to.deep.equal(expected);
          const others = [...left.minutes.values()].reduce((total, { count }) => total + count, 0);
          expect(left.totals.count).to.equal(others);
        }),
        { numRuns: 60 },
      );
    });

    it('leaves the sum over two slots right or dirty, whichever slot gives it back', () => {
      fc.assert(
        fc.property(eventsAndOne, fc.infiniteStream(fc.boolean()), ([all, index], coins) => {
          const event = all[index]!;
          const slots = Map.groupBy(all, () => coins.next().value as boolean);
          const cells = [true, false].map((slot) => cellOf(aggregation, slots.get(slot) ?? []));
          const at = cells.findIndex((cell) => {
            const left = takenBack(cell, aggregation, event);
            if (left) Object.assign(cell, left);
            return left !== undefined;
          });
          expect(at).to.not.equal(-1);
          const sum = emptyHourCell();
          for (const cell of cells) mergeHourCell(sum, aggregation, cell);
          if (sum.dirty) return;
          const rest = all.filter((other) => other !== event);
          expect(packHourCell(aggregation, sum)).to.deep.equal(
            packHourCell(aggregation, cellOf(aggregation, rest)),
          );
        }),
        { numRuns: 250 },
      );
    });
  });
}

for (const aggregation of ADDITIVE) {
  describe(`the opposite of an event of ${aggregation}`, () => {
    it('merged in, takes the event away', () => {
      fc.assert(
        fc.property(eventsAndOne, ([all, index]) => {
          const event = all[index]!;
          const totals = cellOf(aggregation, all).totals;
          merge(totals, aggregation, opposite(aggregation, event));
          expect(totals).to.deep.equal(
            cellOf(
              aggregation,
              all.filter((other) => other !== event),
            ).totals,
          );
        }),
        { numRuns: 150 },
      );
    });

    it('takes it away from its day as well', () => {
      fc.assert(
        fc.property(eventsAndOne, fc.integer({ min: 0, max: HOURS_PER_DAY - 1 }), ([all, index], hours) => {
          const hour = Math.floor(all[0]!.time / MICROS_PER_HOUR) + hours;
          const shifted = all.map((event) => ({ ...event, time: event.time + hours * MICROS_PER_HOUR }));
          const [day, rest] = [emptyDayCell(), emptyDayCell()];
          addHourToDay(day, aggregation, hour, cellOf(aggregation, shifted).totals);
          addHourToDay(day, aggregation, hour, opposite(aggregation, shifted[index]!));
          addHourToDay(
            rest,
            aggregation,
            hour,
            cellOf(
              aggregation,
              shifted.filter((_, i) => i !== index),
            ).totals,
          );
          expect(day).to.deep.equal(rest);
        }),
        { numRuns: 100 },
      );
    });
  });
}
