import { column, defineTable, nullable } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';

/** A part of a backfill: one UTC day, and of it the subjects of one shard. It is counted by one worker at a time. */
export const backfillPart = defineTable('backfill_part', {
  columns: {
    namespace: column('string'),
    meter: column('string'),
    version: column('int64'),
    day: column('int64'),
    shard: column('int64'),
    state: column('string'),
    /** Who works on it, and until when nobody else takes it over. */
    worker: nullable('string'),
    leaseUntil: nullable('timestamp'),
    events: column('int64'),
    unmeasured: column('int64'),
  },
  key: ['namespace', 'meter', 'version', 'day', 'shard'],
});

export const BACKFILL_STATES = [
  'waiting',
  'counting',
  'limits',
  'reconciling',
  'complete',
  'different',
] as const;
/**
 * `waiting` until the exact view has all that was committed before its start; then its parts are `counting`, hard `limits` are counted anew, it
 * is `reconciling` what it wrote with the view, and `complete`; or `different`, where somebody has to look.
 */
export type BackfillState = (typeof BACKFILL_STATES)[number];

export const BACKFILL_TABLES: readonly Table<object>[] = [backfillPart];
