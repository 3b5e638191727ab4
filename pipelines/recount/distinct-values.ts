import { MICROS_PER_DAY, MICROS_PER_MILLI } from '#domain/instant.ts';
import {
  emptyDistinctValue,
  mergeDistinctValue,
  packMinutes,
  unpackMinutes,
  type DistinctValue,
} from '#domain/metering/distinct-value.ts';
import type { CombineFn } from '#pipelines/beam/combining.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type { InWindow } from './hour-cells.ts';
import type { CountedBy, Recounted, RecountedValue } from './recounted.ts';

/** Beam's windows are of milliseconds. */
const MILLIS_PER_DAY = MICROS_PER_DAY / MICROS_PER_MILLI;

export class SelectValues implements SyncDoFn<Recounted, RecountedValue> {
  process(recounted: Recounted, emit: Emit<RecountedValue>): void {
    if (recounted.kind === 'value') emit(recounted);
  }
}

/** Names a value of one slot. The day is the window's. */
export const nameOfValue = ({ subject, by, group, valueHash }: RecountedValue): string =>
  JSON.stringify([subject, by, group, valueHash]);

/** The minutes of a value as they are added to, or as they are stored: packed. An object, since bytes alone are no element. */
export type Minutes = DistinctValue | PackedValue;

export interface PackedValue {
  readonly packed: Uint8Array;
}

const isPacked = (minutes: Minutes): minutes is PackedValue => 'packed' in minutes;
const added = (minutes: Minutes): DistinctValue =>
  isPacked(minutes) ? unpackMinutes(minutes.packed) : minutes;
const isEmpty = (minutes: Minutes): boolean => !isPacked(minutes) && minutes.minutes.size === 0;
const packed = (minutes: Minutes): Uint8Array => (isPacked(minutes) ? minutes.packed : packMinutes(minutes));

/** A value that came in one piece stays as it is packed. */
function together(into: Minutes, minutes: Minutes): Minutes {
  if (isEmpty(into)) return minutes;
  const sum = added(into);
  mergeDistinctValue(sum, added(minutes));
  return sum;
}

/** Makes one of the pieces of a value on a day: how many events name it, by minute. */
export class ReferenceCombiner implements CombineFn<RecountedValue, Minutes, PackedValue> {
  createAccumulator(): DistinctValue {
    return emptyDistinctValue();
  }

  addInput(into: Minutes, { minutes }: RecountedValue): Minutes {
    return together(into, { packed: minutes });
  }

  mergeAccumulators(several: Iterable<Minutes>): Minutes {
    let merged: Minutes = emptyDistinctValue();
    for (const minutes of several) merged = together(merged, minutes);
    return merged;
  }

  compact(minutes: Minutes): PackedValue {
    return { packed: packed(minutes) };
  }

  extractOutput(minutes: Minutes): PackedValue {
    return { packed: packed(minutes) };
  }
}

export class ToRecountedValue implements SyncDoFn<Keyed<PackedValue>, RecountedValue, InWindow> {
  process(
    { key, value: { packed: minutes } }: Keyed<PackedValue>,
    emit: Emit<RecountedValue>,
    { window }: InWindow,
  ): void {
    const [subject, by, group, valueHash] = JSON.parse(key) as [string, CountedBy, string, string];
    const day = Math.floor(window.lookup().maxTimestamp().toNumber() / MILLIS_PER_DAY);
    emit({ kind: 'value', by, subject, day, group, valueHash, minutes });
  }
}
