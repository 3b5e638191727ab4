import { OUTCOMES } from './event-row.ts';

/** `canonicalJson` is text that is never parsed into doubles; `hash` is 32 hex digits; `time` is RFC 3339 to the microsecond. */
export type WarehouseColumnType = 'text' | 'canonicalJson' | 'textList' | 'hash' | 'time' | 'int64';

export interface WarehouseColumn {
  readonly name: string;
  readonly type: WarehouseColumnType;
  readonly nullable: boolean;
  /** The schema version that brought the column: rows written before read as null. Only nullable columns come later than 1. */
  readonly since: number;
  readonly oneOf?: readonly string[];
}

/**
 * A table of every warehouse. Its migrations are the numbers in `since`: a new column goes at the end, nullable, with the next number.
 * A column is never renamed, retyped or dropped, since immutable rows of every version stay readable.
 */
export interface WarehouseTable {
  readonly name: string;
  readonly columns: readonly WarehouseColumn[];
  /** Rows are partitioned by the UTC day of this column. */
  readonly dayColumn: string;
  /** Rows lie together by these, so that a question about few of them reads little. */
  readonly clusterBy: readonly string[];
}

const required = (name: string, type: WarehouseColumnType): WarehouseColumn => ({
  name,
  type,
  nullable: false,
  since: 1,
});
const optional = (name: string, type: WarehouseColumnType): WarehouseColumn => ({
  name,
  type,
  nullable: true,
  since: 1,
});

export const EVENTS: WarehouseTable = {
  name: 'events',
  columns: [
    required('identity', 'hash'),
    optional('digest', 'hash'),
    { ...required('outcome', 'text'), oneOf: OUTCOMES },
    required('namespace', 'text'),
    required('id', 'text'),
    required('source', 'text'),
    required('type', 'text'),
    required('subject', 'text'),
    required('time', 'time'),
    optional('data', 'canonicalJson'),
    optional('attributes', 'text'),
    optional('published_at', 'time'),
    required('committed_at', 'time'),
    required('catalogue_version', 'int64'),
    optional('matched_meters', 'textList'),
  ],
  dayColumn: 'time',
  clusterBy: ['namespace', 'subject', 'type', 'time'],
};

/** Rows that one call appends. */
export const ROWS_PER_APPEND_MAX = 100_000;

export const WAREHOUSE_TABLES: readonly WarehouseTable[] = [EVENTS];

/** The version that rows are written in now. */
export const schemaVersionOf = (table: WarehouseTable): number =>
  Math.max(...table.columns.map(({ since }) => since));
