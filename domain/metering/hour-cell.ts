import { emptyAccumulator, merge, type Accumulator, type Aggregation } from './accumulator.ts';
import { createByteReader } from './byte-reader.ts';
import { createByteWriter } from './byte-writer.ts';
import { fingerprintOf, fingerprintToHash } from './fingerprint.ts';
import type { Hash128 } from './hash128.ts';
import {
  readFingerprint,
  readMeasures,
  skipAccumulator,
  writeFingerprint,
  writeMeasures,
} from './packed-accumulator.ts';

/**
 * The usage of one hour of one (subject, meter, generation, view, group): its totals, and the same per minute that has events.
 * Invariant: the totals are the merge of the minutes.
 */
export interface HourCell {
  readonly totals: Accumulator;
  /** Minute of the hour (0 to 59) -> what its events amount to. Sparse. */
  readonly minutes: Map<number, Accumulator>;
  /** Set when a void could not be taken back exactly: the cell must be recomputed from the warehouse before it is invoiced. */
  dirty: boolean;
}

/** The columns of `usage_hour` that hold the cell. */
export interface PackedHourCell {
  readonly totals: Uint8Array;
  readonly minutes: Uint8Array;
  readonly fingerprint: Hash128;
  readonly dirty: boolean;
}

export const emptyHourCell = (): HourCell => ({
  totals: emptyAccumulator(),
  minutes: new Map(),
  dirty: false,
});

/** The accumulator of a minute, made when there is none yet. */
export function minuteOf(cell: HourCell, minute: number): Accumulator {
  let accumulator = cell.minutes.get(minute);
  if (accumulator === undefined) {
    accumulator = emptyAccumulator();
    cell.minutes.set(minute, accumulator);
  }
  return accumulator;
}

/** Adds `other`, a cell of the same hour, into `into`. */
export function mergeHourCell(into: HourCell, aggregation: Aggregation, other: HourCell): void {
  for (const [minute, accumulator] of other.minutes) merge(minuteOf(into, minute), aggregation, accumulator);
  merge(into.totals, aggregation, other.totals);
  into.dirty ||= other.dirty;
}

const writer = createByteWriter();

/**
 * Minutes are written in rising order, so that equal cells have equal bytes. The totals of a cell with one minute are that minute's:
 * they are left out (an empty `totals`), which halves the row where subjects are many and cells are small.
 */
export function packHourCell(aggregation: Aggregation, cell: HourCell): PackedHourCell {
  for (const [minute, accumulator] of cell.minutes.size > 1 ? inOrder(cell.minutes) : cell.minutes) {
    writer.byte(minute);
    writeMeasures(writer, aggregation, accumulator);
    // The fingerprint of an only minute is the cell's.
    if (cell.minutes.size > 1) writeFingerprint(writer, accumulator);
  }
  const minutes = writer.take();
  if (cell.minutes.size !== 1) writeMeasures(writer, aggregation, cell.totals);
  return { totals: writer.take(), minutes, fingerprint: fingerprintToHash(cell.totals), dirty: cell.dirty };
}

const inOrder = (minutes: Map<number, Accumulator>): [number, Accumulator][] =>
  [...minutes].sort((a, b) => a[0] - b[0]);

/** What a batch adds to one minute of a cell. */
export interface MinuteChange {
  readonly minute: number;
  readonly accumulator: Accumulator;
}

/** The stored cell with the changes added, packed again. A new cell of one minute, the most frequent row by far, is packed as it is. */
export function addToHourCell(
  stored: PackedHourCell | undefined,
  aggregation: Aggregation,
  changes: readonly MinuteChange[],
): PackedHourCell {
  const [only] = changes;
  if (stored === undefined && only !== undefined && changes.length === 1) {
    writer.byte(only.minute);
    writeMeasures(writer, aggregation, only.accumulator);
    return {
      totals: NO_TOTALS,
      minutes: writer.take(),
      fingerprint: fingerprintToHash(only.accumulator),
      dirty: false,
    };
  }
  if (stored !== undefined && stored.totals.length > 0 && stored.minutes.length > 0) {
    return spliceMinutes(stored, aggregation, changes);
  }
  if (stored === undefined && isRising(changes)) return packChanges(aggregation, changes);
  const cell = stored === undefined ? emptyHourCell() : unpackHourCell(aggregation, stored);
  for (const { minute, accumulator } of changes) {
    merge(minuteOf(cell, minute), aggregation, accumulator);
    merge(cell.totals, aggregation, accumulator);
  }
  return packHourCell(aggregation, cell);
}

/** Each minute once and in order, as a batch lays them out: then there is nothing to sort or to look up. */
function isRising(changes: readonly MinuteChange[]): boolean {
  for (let i = 1; i < changes.length; i++)
    if ((changes[i - 1]?.minute ?? 0) >= (changes[i]?.minute ?? 0)) return false;
  return changes.length > 1;
}

/** A new cell of several minutes, the same as `packHourCell` makes of it. */
function packChanges(aggregation: Aggregation, changes: readonly MinuteChange[]): PackedHourCell {
  const totals = emptyAccumulator();
  for (const { minute, accumulator } of changes) {
    merge(totals, aggregation, accumulator);
    writeMinute(minute, aggregation, accumulator);
  }
  const minutes = writer.take();
  writeMeasures(writer, aggregation, totals);
  return { totals: writer.take(), minutes, fingerprint: fingerprintToHash(totals), dirty: false };
}

const NO_TOTALS = new Uint8Array(0);

/** Adds to a cell of several minutes where it is packed: only the minutes that change are read, the others' bytes are copied. */
function spliceMinutes(
  stored: PackedHourCell,
  aggregation: Aggregation,
  changes: readonly MinuteChange[],
): PackedHourCell {
  const { minutes } = stored;
  const reader = createByteReader(minutes);
  const totals = totalsOf(aggregation, stored, NO_MINUTES);
  const pending =
    changes.length === 1 || isRising(changes) ? changes : changes.toSorted((a, b) => a.minute - b.minute);
  let copiedTo = 0;
  for (const { minute, accumulator } of pending) {
    merge(totals, aggregation, accumulator);
    while (!reader.atEnd && (minutes[reader.at] ?? 0) < minute) {
      reader.skip(1);
      skipAccumulator(reader, aggregation);
    }
    writer.copy(minutes, copiedTo, reader.at);
    copiedTo = reader.at;
    if (minutes[reader.at] !== minute) {
      writeMinute(minute, aggregation, accumulator);
      continue;
    }
    reader.skip(1);
    const merged = readMeasures(reader, aggregation);
    readFingerprint(reader, merged);
    merge(merged, aggregation, accumulator);
    writeMinute(minute, aggregation, merged);
    copiedTo = reader.at;
  }
  writer.copy(minutes, copiedTo, minutes.length);
  const spliced = writer.take();
  writeMeasures(writer, aggregation, totals);
  return {
    totals: writer.take(),
    minutes: spliced,
    fingerprint: fingerprintToHash(totals),
    dirty: stored.dirty,
  };
}

const NO_MINUTES: Map<number, Accumulator> = new Map();

function writeMinute(minute: number, aggregation: Aggregation, accumulator: Accumulator): void {
  writer.byte(minute);
  writeMeasures(writer, aggregation, accumulator);
  writeFingerprint(writer, accumulator);
}

export function unpackHourCell(aggregation: Aggregation, packed: PackedHourCell): HourCell {
  const reader = createByteReader(packed.minutes);
  const alone = packed.totals.length === 0;
  const minutes = new Map<number, Accumulator>();
  while (!reader.atEnd) {
    const minute = reader.byte();
    const accumulator = readMeasures(reader, aggregation);
    if (alone) Object.assign(accumulator, fingerprintOf(packed.fingerprint));
    else readFingerprint(reader, accumulator);
    minutes.set(minute, accumulator);
  }
  return { totals: totalsOf(aggregation, packed, minutes), minutes, dirty: packed.dirty };
}

function totalsOf(
  aggregation: Aggregation,
  packed: PackedHourCell,
  minutes: Map<number, Accumulator>,
): Accumulator {
  const [only] = minutes.values();
  if (packed.totals.length === 0 && only) return { ...only };
  const totals = readMeasures(createByteReader(packed.totals), aggregation);
  return Object.assign(totals, fingerprintOf(packed.fingerprint));
}
