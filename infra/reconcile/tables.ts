import {
  column,
  commitTime,
  defineTable,
  jsonColumn,
  nullable,
  nullableCommitTime,
  nullableJson,
} from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

/** Usage is compared with raw events, meter by meter and day by day, by one worker at a time. */
export const reconciliation = defineTable('reconciliation', {
  columns: {
    namespace: column('string'),
    /** UUID v7: in the order in which they were asked for. */
    id: column('string'),
    state: column('string'),
    /** UTC days since the epoch, [firstDay, endDay). */
    firstDay: column('int64'),
    endDay: column('int64'),
    /** The versions that are compared, as `key@version`, in order. */
    versions: jsonColumn<readonly string[]>(),
    /** Only these; null: all. */
    subjects: nullableJson<readonly string[]>(),
    /** Whether what differs is written anew from the events; and whether even where the cells have more events than the view. */
    repair: column('bool'),
    trustsView: column('bool'),
    /** How far it is: a place in `versions`, and the next day of it. */
    atVersion: column('int64'),
    atDay: column('int64'),
    waitsFor: nullable('string'),
    worker: nullable('string'),
    leaseUntil: nullable('timestamp'),
    /** Subjects' days that were compared, and those of them that differ. */
    compared: column('int64'),
    differing: column('int64'),
    /** Cells that differ; of those repaired, and kept in the report. */
    differences: column('int64'),
    repaired: column('int64'),
    reported: column('int64'),
    principal: column('string'),
    reason: column('string'),
    createdAt: commitTime(),
    finishedAt: nullableCommitTime(),
  },
  key: ['namespace', 'id'],
});

/** The reconciliations that are not done: what a worker looks for. */
export const openReconciliation = defineTable('open_reconciliation', {
  columns: { namespace: column('string'), id: column('string') },
  key: ['namespace', 'id'],
});

/** What a cell holds, as people read it. */
export interface CellContent {
  readonly events: number;
  /** A decimal string; null where the aggregation measures nothing. */
  readonly value: string | null;
  /** 32 hex digits. */
  readonly fingerprint: string;
  /** Time-weighted day cells: the level that the day begins with. */
  readonly level?: string;
}

/** A cell that is not what its events make it. */
export const reconciliationDifference = defineTable('reconciliation_difference', {
  columns: {
    namespace: column('string'),
    reconciliation: column('string'),
    meter: column('string'),
    version: column('int64'),
    day: column('int64'),
    subject: column('string'),
    /** `hour`, `day` or `value`, and which: its place within the day. */
    cell: column('string'),
    view: column('int64'),
    /** Null where it is one of a whole day. */
    hour: nullable('int64'),
    group: column('string'),
    kind: column('string'),
    stored: nullableJson<CellContent>(),
    expected: nullableJson<CellContent>(),
    outcome: column('string'),
  },
  key: ['namespace', 'reconciliation', 'meter', 'version', 'day', 'subject', 'cell'],
});

export type ReconciliationRow = Row<typeof reconciliation>;
export type DifferenceRow = Row<typeof reconciliationDifference>;

export const RECONCILIATION_STATES = ['running', 'done'] as const;
/** In what way a cell differs: it is missing, one too many, has other events, or another value of the same events, or waits to be computed again. */
export const DIFFERENCE_KINDS = ['missing', 'surplus', 'events', 'value', 'dirty'] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];
/**
 * What became of it: only `reported`; `repaired`; `moved`, when the cells changed meanwhile; `view_incomplete`, when the cells have more events than
 * the view, which may have lost them.
 */
export const DIFFERENCE_OUTCOMES = ['reported', 'repaired', 'moved', 'view_incomplete'] as const;
export type DifferenceOutcome = (typeof DIFFERENCE_OUTCOMES)[number];

export const RECONCILE_TABLES: readonly Table<object>[] = [
  reconciliation,
  openReconciliation,
  reconciliationDifference,
];
