import { column, commitTime, defineTable, nullableCommitTime } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';

/** Replaced files outlive every query that may still read them; names given up are remembered as long as any writer may hang. */
export const CLOSED_SEGMENT_DAYS = 30;

/** The manifest of the embedded warehouse: which files, together, are a table. */
export const warehouseSegment = defineTable('warehouse_segment', {
  columns: {
    table: column('string'),
    id: column('string'),
    /** `live` files are the table; `replaced` ones wait for their last readers; an `abandoned` name can never become live. */
    state: column('string'),
    format: column('string'),
    file: column('string'),
    rows: column('int64'),
    bytes: column('int64'),
    /** UTC days since the epoch, of the table's day column; both inclusive. */
    minDay: column('int64'),
    maxDay: column('int64'),
    schemaVersion: column('int64'),
    createdAt: commitTime(),
    /** When it stopped being live, or was found abandoned. */
    closedAt: nullableCommitTime(),
  },
  key: ['table', 'id'],
  timeToLive: { column: 'closedAt', days: CLOSED_SEGMENT_DAYS, unit: 'micros' },
});

export type SegmentRow = typeof warehouseSegment extends Table<infer Row> ? Row : never;
export type SegmentFormat = 'text' | 'parquet';
/** What is known of a file before it is in the manifest. */
export type NewSegment = Omit<SegmentRow, 'state' | 'createdAt' | 'closedAt' | 'format'> & {
  readonly format: SegmentFormat;
};
