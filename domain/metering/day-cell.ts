import { MICROS_PER_HOUR, HOURS_PER_DAY, type DayIndex, type HourIndex } from '../instant.ts';
import { emptyAccumulator, merge, type Accumulator, type Aggregation } from './accumulator.ts';
import { createByteReader } from './byte-reader.ts';
import { createByteWriter } from './byte-writer.ts';
import { fingerprintOf, fingerprintToHash } from './fingerprint.ts';
import type { Hash128 } from './hash128.ts';
import { readMeasures, writeMeasures } from './packed-accumulator.ts';
import { add, times, type Quantity } from './quantity.ts';

/** The usage of one UTC day, without minutes. For timeWeightedSum the moment is measured from the start of the day. */
export interface DayCell {
  readonly totals: Accumulator;
  /** timeWeightedSum: the level at the start of the day, that is the sum of all earlier deltas. Else 0. */
  carry: Quantity;
  dirty: boolean;
}

export interface PackedDayCell {
  readonly totals: Uint8Array;
  readonly fingerprint: Hash128;
  readonly carry: Uint8Array;
  readonly dirty: boolean;
}

export const emptyDayCell = (): DayCell => ({ totals: emptyAccumulator(), carry: 0, dirty: false });

/**
 * Adds what an hour's events amount to into their day. A moment counted from the hour becomes one counted from the day:
 * sum of value x (offset in hour + hour's offset) = moment + value x hour's offset.
 */
export function addHourToDay(
  day: DayCell,
  aggregation: Aggregation,
  hour: HourIndex,
  accumulator: Accumulator,
): void {
  if (aggregation !== 'timeWeightedSum') {
    merge(day.totals, aggregation, accumulator);
    return;
  }
  const hourOfDay = ((hour % HOURS_PER_DAY) + HOURS_PER_DAY) % HOURS_PER_DAY;
  const shift = times(accumulator.value, hourOfDay * MICROS_PER_HOUR);
  merge(day.totals, aggregation, { ...accumulator, moment: add(accumulator.moment, shift) });
}

const writer = createByteWriter();

export function packDayCell(aggregation: Aggregation, cell: DayCell): PackedDayCell {
  writeMeasures(writer, aggregation, cell.totals);
  const totals = writer.take();
  writer.quantity(cell.carry);
  return { totals, fingerprint: fingerprintToHash(cell.totals), carry: writer.take(), dirty: cell.dirty };
}

export function unpackDayCell(aggregation: Aggregation, packed: PackedDayCell): DayCell {
  const totals = readMeasures(createByteReader(packed.totals), aggregation);
  const carry = createByteReader(packed.carry).quantity();
  return { totals: Object.assign(totals, fingerprintOf(packed.fingerprint)), carry, dirty: packed.dirty };
}

/** A day of one series: one (subject, meter, generation, view, group). */
export interface SeriesDay {
  readonly day: DayIndex;
  readonly cell: DayCell;
}

/**
 * Adds late changes to the days of a series and returns the days that are different now. `days` holds the rows from the one before the
 * earliest change on, in order. For timeWeightedSum the level at the start of every later day rises by what was added before it:
 * days 1 (carry 0, sum 5) and 3 (carry 5), a late +2 on day 2: a new day 2 (carry 5, sum 2), and day 3's carry becomes 7.
 */
export function addToSeries(
  aggregation: Aggregation,
  days: readonly SeriesDay[],
  changes: ReadonlyMap<DayIndex, DayCell>,
): SeriesDay[] {
  const byDay = new Map(days.map(({ day, cell }) => [day, cell]));
  for (const day of changes.keys()) if (!byDay.has(day)) byDay.set(day, emptyDayCell());
  const changed: SeriesDay[] = [];
  let level: Quantity | undefined;
  for (const [day, cell] of [...byDay].sort((a, b) => a[0] - b[0])) {
    const change = changes.get(day);
    const carry = aggregation === 'timeWeightedSum' ? (level ?? cell.carry) : 0;
    if (change || carry !== cell.carry) changed.push({ day, cell });
    cell.carry = carry;
    if (change) merge(cell.totals, aggregation, change.totals);
    level = add(cell.carry, cell.totals.value);
  }
  return changed;
}
