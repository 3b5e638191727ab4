import { createByteReader } from './byte-reader.ts';
import { createByteWriter } from './byte-writer.ts';

/**
 * One value of a `unique` meter on one UTC day: how many events named it, in all and per minute. The reference count is what lets an
 * event be taken back: the value disappears with its last event.
 */
export interface DistinctValue {
  references: number;
  /** Minute of the UTC day (0 to 1439) -> events in it. */
  readonly minutes: Map<number, number>;
}

export const emptyDistinctValue = (): DistinctValue => ({ references: 0, minutes: new Map() });

/** Adds `references` events (negative to take back) in a minute. */
export function addReferences(into: DistinctValue, minuteOfDay: number, references: number): void {
  const left = (into.minutes.get(minuteOfDay) ?? 0) + references;
  if (left === 0) into.minutes.delete(minuteOfDay);
  else into.minutes.set(minuteOfDay, left);
  into.references += references;
}

export function mergeDistinctValue(into: DistinctValue, other: DistinctValue): void {
  for (const [minute, references] of other.minutes) addReferences(into, minute, references);
}

const writer = createByteWriter();

/** Minutes in rising order, each as its distance from the one before, with its count. */
export function packMinutes(value: DistinctValue): Uint8Array {
  let previous = 0;
  for (const [minute, references] of [...value.minutes].sort((a, b) => a[0] - b[0])) {
    writer.varint(minute - previous);
    writer.varint(references);
    previous = minute;
  }
  return writer.take();
}

export function unpackMinutes(packed: Uint8Array): DistinctValue {
  const value = emptyDistinctValue();
  const reader = createByteReader(packed);
  let minute = 0;
  while (!reader.atEnd) {
    minute += reader.varint();
    addReferences(value, minute, reader.varint());
  }
  return value;
}
