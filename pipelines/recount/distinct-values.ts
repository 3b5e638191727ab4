import { dayOf, dayStart, MICROS_PER_MINUTE } from '#domain/instant.ts';
import {
  addReferences,
  emptyDistinctValue,
  mergeDistinctValue,
  packMinutes,
  unpackMinutes,
} from '#domain/metering/distinct-value.ts';
import type { CombineFn, Keyed } from '#pipelines/beam/grouping.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type { CountedBy, Matched, Named, RecountedValue } from './recounted.ts';

export class SelectNamed implements SyncDoFn<Matched, Named> {
  process(matched: Matched, emit: Emit<Named>): void {
    if (matched.kind === 'value') emit(matched);
  }
}

/** Names a value of one slot. The day is the window's. */
export const nameOfNamed = ({ subject, by, group, valueHash }: Named): string =>
  JSON.stringify([subject, by, group, valueHash]);

/** Counts the events that name a value on a day, by minute. An accumulator is its row's minutes as they are stored. */
export class ReferenceCombiner implements CombineFn<Named, Uint8Array, Uint8Array> {
  createAccumulator(): Uint8Array {
    return new Uint8Array(0);
  }

  addInput(minutes: Uint8Array, { time }: Named): Uint8Array {
    const value = unpackMinutes(minutes);
    addReferences(value, Math.floor((time - dayStart(dayOf(time))) / MICROS_PER_MINUTE), 1);
    return packMinutes(value);
  }

  mergeAccumulators(several: Iterable<Uint8Array>): Uint8Array {
    const merged = emptyDistinctValue();
    for (const minutes of several) mergeDistinctValue(merged, unpackMinutes(minutes));
    return packMinutes(merged);
  }

  extractOutput(minutes: Uint8Array): Uint8Array {
    return minutes;
  }
}

export class ToRecountedValue implements SyncDoFn<Keyed<Uint8Array>, RecountedValue> {
  process({ key, value: minutes }: Keyed<Uint8Array>, emit: Emit<RecountedValue>): void {
    const [subject, by, group, valueHash] = JSON.parse(key) as [string, CountedBy, string, string];
    emit({ kind: 'value', by, subject, group, valueHash, minutes });
  }
}
