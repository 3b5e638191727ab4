import { compilePeriod, type CompiledPeriod } from '#domain/entitlements/limit.ts';
import { periodAt } from '#domain/calendar/period.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
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
  /** The period that was asked for last: events of one batch are mostly of one period. */
  latest: TimeWindow | undefined;
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
  const { of, limit, period } = hard;
  const name = (start: Instant): string =>
    JSON.stringify([of.namespace, of.customer, of.feature, limit.key, start]);
  if (period.kind === 'rolling')
    return { hard, periodStart: ROLLING_PERIOD_START, periodEnd: null, name: name(ROLLING_PERIOD_START) };
  if (!hard.latest || at < hard.latest.from || at >= hard.latest.to) hard.latest = periodAt(period.rule, at);
  const { from, to } = hard.latest;
  return from < limit.since ? undefined : { hard, periodStart: from, periodEnd: to, name: name(from) };
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
