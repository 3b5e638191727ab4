import { compilePeriod, type CompiledPeriod } from '#domain/entitlements/limit.ts';
import { periodAt } from '#domain/calendar/period.ts';
import type { Instant } from '#domain/instant.ts';
import type { Reads } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';
import { customerLimits, ROLLING_PERIOD_START, type StoredLimit } from './tables.ts';

export type CustomerLimits = Row<typeof customerLimits>;

/** A hard limit made ready for use. */
export interface HardLimit {
  readonly of: CustomerLimits;
  readonly limit: StoredLimit;
  readonly period: CompiledPeriod;
  /** Where was looked last: events of one batch, and decisions of one moment, are mostly of one period. */
  latest: LimitPlace | undefined;
}

/** A row never changes once it is read, so what was made of it is made once. */
const prepared = new WeakMap<CustomerLimits, readonly HardLimit[]>();

export function hardLimitsOf(of: CustomerLimits | undefined): readonly HardLimit[] {
  if (of === undefined) return [];
  const known = prepared.get(of);
  if (known !== undefined) return known;
  const made = of.limits
    .filter(({ overage }) => overage === 'hard')
    .map((limit) => ({ of, limit, period: compilePeriod(limit.period), latest: undefined }));
  prepared.set(of, made);
  return made;
}

/** Where usage and holds of a moment go: one row. */
export interface LimitPlace {
  readonly hard: HardLimit;
  readonly periodStart: Instant;
  readonly periodEnd: Instant | null;
  /** One text a row, for maps. */
  readonly name: string;
}

/** Undefined for moments before the definition began to count. */
export function placeAt(hard: HardLimit, at: Instant): LimitPlace | undefined {
  const { limit, period, latest } = hard;
  if (latest !== undefined && isIn(latest, at)) return latest;
  if (period.kind === 'rolling') return (hard.latest = newPlace(hard, ROLLING_PERIOD_START, null));
  const { from, to } = periodAt(period.rule, at);
  return from < limit.since ? undefined : (hard.latest = newPlace(hard, from, to));
}

const isIn = ({ periodStart, periodEnd }: LimitPlace, at: Instant): boolean =>
  periodEnd === null || (at >= periodStart && at < periodEnd);

function newPlace(hard: HardLimit, periodStart: Instant, periodEnd: Instant | null): LimitPlace {
  const { of, limit } = hard;
  const name = JSON.stringify([of.namespace, of.customer, of.feature, limit.key, periodStart]);
  return { hard, periodStart, periodEnd, name };
}

export const placesAt = (limits: readonly HardLimit[], at: Instant): LimitPlace[] =>
  limits.flatMap((hard) => placeAt(hard, at) ?? []);

/**
 * Where a decision made at `now` looks. A clock that is behind the one the limit was set by sees the limit's first period, since what is
 * earlier was never counted.
 */
export function decidingPlace(hard: HardLimit, now: Instant): LimitPlace {
  const place = placeAt(hard, Math.max(now, hard.limit.since));
  if (place === undefined) throw new Error(`limit ${hard.limit.key} begins within a period`);
  return place;
}

export const keyOfPlace = ({ hard: { of, limit }, periodStart }: LimitPlace): Key => [
  of.namespace,
  of.customer,
  of.feature,
  limit.key,
  periodStart,
];

/** The limits of a customer on all its features. */
export const readLimitsOf = (from: Reads, namespace: string, customer: string): Promise<CustomerLimits[]> =>
  Array.fromAsync(from.scan(customerLimits, { prefix: [namespace, customer] }));
