import { dayOf, dayStart, MICROS_PER_DAY, MICROS_PER_MILLI, MICROS_PER_MINUTE } from '#domain/instant.ts';
import {
  addReferences,
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
import type { CountedBy, Matched, Named, RecountedValue } from './recounted.ts';

/** Beam's windows are of milliseconds. */
const MILLIS_PER_DAY = MICROS_PER_DAY / MICROS_PER_MILLI;

export class SelectNamed implements SyncDoFn<Matched, Named> {
  process(matched: Matched, emit: Emit<Named>): void {
    if (matched.kind === 'value') emit(matched);
  }
}

/** Names a value of one slot. The day is the window's. */
export const nameOfNamed = ({ subject, by, group, valueHash }: Named): string =>
  JSON.stringify([subject, by, group, valueHash]);

/** The minutes of a value as they are added to, or as they are stored: packed. An object, since bytes alone are no element. */
export type Minutes = DistinctValue | PackedValue;

export interface PackedValue {
  readonly packed: Uint8Array;
}

const isPacked = (minutes: Minutes): minutes is PackedValue => 'packed' in minutes;
const added = (minutes: Minutes): DistinctValue =>
  isPacked(minutes) ? unpackMinutes(minutes.packed) : minutes;
const packed = (minutes: Minutes): Uint8Array => (isPacked(minutes) ? minutes.packed : packMinutes(minutes));

/** Counts the events that name a value on a day, by minute. */
export class ReferenceCombiner implements CombineFn<Named, Minutes, PackedValue> {
  createAccumulator(): DistinctValue {
    return emptyDistinctValue();
  }

  addInput(minutes: Minutes, { time }: Named): DistinctValue {
    const value = added(minutes);
    addReferences(value, Math.floor((time - dayStart(dayOf(time))) / MICROS_PER_MINUTE), 1);
    return value;
  }

  mergeAccumulators(several: Iterable<Minutes>): DistinctValue {
    const merged = emptyDistinctValue();
    for (const minutes of several) mergeDistinctValue(merged, added(minutes));
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
