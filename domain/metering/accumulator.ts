import { MICROS_PER_HOUR, type Instant } from '../instant.ts';
import { addFingerprint, type Fingerprint } from './fingerprint.ts';
import type { Hash128 } from './hash128.ts';
import { add, compare, times, type Quantity } from './quantity.ts';

export const AGGREGATIONS = [
  'count',
  'sum',
  'min',
  'max',
  'average',
  'unique',
  'latest',
  'timeWeightedSum',
] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

/**
 * What a set of events amounts to, for one meter. It is a commutative monoid: `merge` is associative and commutative and `empty` is
 * its neutral element, so cells can be added up in any order and grouping. Which fields count depends on the aggregation:
 * `count` and the fingerprint always; `value` is the sum (sum, average, timeWeightedSum), the least (min), the greatest (max) or the
 * value of the greatest (time, identity) (latest); `moment` is the sum of value x microseconds since the hour began (timeWeightedSum).
 * A record that is filled in place, because millions are: nothing outside the fold that made it may hold on to one.
 */
export interface Accumulator extends Fingerprint {
  /** Number of events. */
  count: number;
  value: Quantity;
  moment: Quantity;
  /** Latest only: the event that `value` comes from. */
  time: Instant;
  identity: Hash128;
}

export const emptyAccumulator = (): Accumulator => ({
  count: 0,
  f0: 0,
  f1: 0,
  f2: 0,
  f3: 0,
  value: 0,
  moment: 0,
  time: 0,
  identity: '',
});

/** What one event contributes to a meter. */
export interface Contribution {
  readonly time: Instant;
  readonly identity: Hash128;
  readonly digest: Fingerprint;
  /** 0 where the aggregation measures nothing (count, unique). */
  readonly value: Quantity;
}

/** Microseconds between an instant and the start of its hour. */
export const offsetInHour = (at: Instant): number => at - Math.floor(at / MICROS_PER_HOUR) * MICROS_PER_HOUR;

export function accumulate(into: Accumulator, aggregation: Aggregation, event: Contribution): void {
  addFingerprint(into, event.digest);
  const first = into.count === 0;
  into.count++;
  switch (aggregation) {
    case 'count':
    case 'unique':
      return;
    case 'timeWeightedSum':
      into.moment = add(into.moment, times(event.value, offsetInHour(event.time)));
      into.value = add(into.value, event.value);
      return;
    case 'sum':
    case 'average':
      into.value = add(into.value, event.value);
      return;
    case 'min':
      if (first || compare(event.value, into.value) < 0) into.value = event.value;
      return;
    case 'max':
      if (first || compare(event.value, into.value) > 0) into.value = event.value;
      return;
    case 'latest':
      if (first || isLater(event.time, event.identity, into)) takeLatest(into, event);
  }
}

/** Latest is the greatest (time, identity): the identity decides between events of one microsecond, so that order never does. */
export function isLater(time: Instant, identity: Hash128, than: Accumulator): boolean {
  return time > than.time || (time === than.time && identity > than.identity);
}

function takeLatest(into: Accumulator, from: { time: Instant; identity: Hash128; value: Quantity }): void {
  into.time = from.time;
  into.identity = from.identity;
  into.value = from.value;
}

/**
 * Adds `other` into `into`. For timeWeightedSum both must be of one hour, since moments are measured from its start.
 */
export function merge(into: Accumulator, aggregation: Aggregation, other: Accumulator): void {
  if (other.count === 0) return;
  const first = into.count === 0;
  addFingerprint(into, other);
  into.count += other.count;
  switch (aggregation) {
    case 'count':
    case 'unique':
      return;
    case 'timeWeightedSum':
      into.moment = add(into.moment, other.moment);
      into.value = add(into.value, other.value);
      return;
    case 'sum':
    case 'average':
      into.value = add(into.value, other.value);
      return;
    case 'min':
      if (first || compare(other.value, into.value) < 0) into.value = other.value;
      return;
    case 'max':
      if (first || compare(other.value, into.value) > 0) into.value = other.value;
      return;
    case 'latest':
      if (first || isLater(other.time, other.identity, into)) takeLatest(into, other);
  }
}
