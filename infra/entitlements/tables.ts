import type { LimitDefinition } from '#domain/entitlements/limit.ts';
import type { Instant } from '#domain/instant.ts';
import { EVENT_ROW_DAYS } from '#infra/usage/tables.ts';
import {
  commitTime,
  nullableCommitTime,
  column,
  defineTable,
  jsonColumn,
  nullable,
} from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';

/** A limit as it is stored. */
export interface StoredLimit extends LimitDefinition {
  /** Rises whenever a limit of this feature is made or made another: limit rows of an earlier definition are not this one's. */
  readonly version: number;
  /** Hard limits: the usage of event times from here on is in limit rows; what is earlier was never counted for this definition. */
  readonly since: Instant;
}

/**
 * The limits of one customer and feature. Where they were deleted the row stays without any, since versions must not begin again: a late
 * commit could take rows of the old limits for those of new ones.
 */
export const customerLimits = defineTable('customer_limits', {
  columns: {
    namespace: column('string'),
    customer: column('string'),
    feature: column('string'),
    /** The feature's meter, which cannot change while there are limits. */
    meter: column('string'),
    limits: jsonColumn<readonly StoredLimit[]>(),
    hasHard: column('bool'),
    version: column('int64'),
  },
  key: ['namespace', 'customer', 'feature'],
  indexes: {
    byMeter: { columns: ['namespace', 'meter', 'hasHard'] },
    byFeature: { columns: ['namespace', 'feature'] },
  },
  layout: { kind: 'rows', settled: 'catalogue' },
});

/** The one row of a rolling limit stands at this period start. */
export const ROLLING_PERIOD_START: Instant = 0;

/**
 * What is used and held of one hard limit in one period. `used` is changed only by commits and corrections of events, so that it always
 * equals the cells, of every generation of the meter; `held` only by holds.
 */
export const limitRow = defineTable('limit_row', {
  columns: {
    namespace: column('string'),
    customer: column('string'),
    feature: column('string'),
    limitKey: column('string'),
    periodStart: column('timestamp'),
    /** Null in the row of a rolling limit, which stays as long as the limit. */
    periodEnd: nullable('timestamp'),
    /** Of the definition whose row it is; another one's row is as good as absent. */
    version: column('int64'),
    /** By generation, as decimals. Empty in the row of a rolling limit. */
    used: jsonColumn<Readonly<Record<string, string>>>(),
    /** A rolling limit's steps, packed; else empty. */
    steps: column('bytes'),
    held: column('string'),
    /** The limit's amount when the row was last written. */
    amount: column('string'),
    /** What was used beyond the limit, though neither reserved nor with room for it: summed up, never taken back. */
    overdraft: column('string'),
    /** When overdraft was last added; null where there is none. */
    overdraftAt: nullableCommitTime(),
  },
  key: ['namespace', 'customer', 'feature', 'limitKey', 'periodStart'],
  indexes: { byOverdraft: { columns: ['namespace', 'overdraftAt'] } },
  // As long as an event of the period can still come: a day more than the event rows that could be voided.
  timeToLive: { column: 'periodEnd', days: EVENT_ROW_DAYS + 1, unit: 'micros' },
  spread: { by: ['namespace', 'customer', 'feature'], indexes: ['byOverdraft'] },
});

/** A closed hold is kept this long, so that what became of a reservation can be seen. */
const CLOSED_HOLD_DAYS = 7;

/** A reservation, under the identity of the event that will settle it. */
export const hold = defineTable('hold', {
  columns: {
    identity: column('hash'),
    namespace: column('string'),
    customer: column('string'),
    feature: column('string'),
    /** What was asked for. */
    amount: column('string'),
    /** What is held: the amount, or what was settled. */
    held: column('string'),
    state: column('string'),
    /** The periods it is held in are those of this moment. */
    heldAt: column('timestamp'),
    expiresAt: column('timestamp'),
    grantedAt: commitTime(),
    closedAt: nullable('timestamp'),
  },
  key: ['identity'],
  indexes: {
    byState: { columns: ['namespace', 'state', 'expiresAt'] },
    byFeature: { columns: ['namespace', 'customer', 'feature', 'state'] },
  },
  timeToLive: { column: 'closedAt', days: CLOSED_HOLD_DAYS, unit: 'micros' },
  spread: { by: ['identity'], indexes: ['byState'] },
});

/** How many holds of a customer and feature are open or pending, so that none has to count them. */
export const holdCount = defineTable('hold_count', {
  columns: {
    namespace: column('string'),
    customer: column('string'),
    feature: column('string'),
    holds: column('int64'),
  },
  key: ['namespace', 'customer', 'feature'],
});

export const ENTITLEMENT_TABLES: readonly Table<object>[] = [customerLimits, limitRow, hold, holdCount];
