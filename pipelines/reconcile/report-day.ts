import type { DayIndex } from '#domain/instant.ts';
import { DIFFERENCES_REPORTED_MAX } from '#domain/limits.ts';
import type { Transaction } from '#infra/database/database.ts';
import {
  reconciliationDifference,
  type DifferenceRow,
  type ReconciliationRow,
} from '#infra/reconcile/tables.ts';

/** What a day of a version came to, or a part of the day. Plain data: it may cross any wire. */
export interface DayReport {
  readonly day: DayIndex;
  /** Subjects' days. */
  readonly compared: number;
  readonly differing: number;
  /** Cells. */
  readonly differences: number;
  readonly repaired: number;
  /** The first of them, by subject and place. */
  readonly rows: readonly DifferenceRow[];
}

/** Rows of one transaction. */
export const REPORTED_PER_DAY_MAX = 1_000;

export const emptyReport = (day: DayIndex): DayReport => ({
  ...{ day, compared: 0, differing: 0, differences: 0, repaired: 0 },
  rows: [],
});

/** The report of one subject that was compared; no rows where nothing differs. */
export const reportOfSubject = (day: DayIndex, rows: readonly DifferenceRow[]): DayReport => ({
  ...{ day, compared: 1, differing: rows.length > 0 ? 1 : 0, differences: rows.length },
  repaired: rows.filter(({ outcome }) => outcome === 'repaired').length,
  rows,
});

const textOrder = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
const inOrder = (a: DifferenceRow, b: DifferenceRow): number =>
  textOrder(a.subject, b.subject) || textOrder(a.cell, b.cell);

/** Reports of one day together. The rows that are kept do not go by the order in which they came. */
export function mergeReports(day: DayIndex, reports: Iterable<DayReport>): DayReport {
  const merged = { ...emptyReport(day) };
  const rows: DifferenceRow[] = [];
  for (const report of reports) {
    merged.compared += report.compared;
    merged.differing += report.differing;
    merged.differences += report.differences;
    merged.repaired += report.repaired;
    rows.push(...report.rows);
  }
  return { ...merged, rows: rows.sort(inOrder).slice(0, REPORTED_PER_DAY_MAX) };
}

/** Writes what is kept of the report, and returns the reconciliation with the day behind it. */
export function addReport(tx: Transaction, now: ReconciliationRow, report: DayReport): ReconciliationRow {
  const { day, compared, differing, differences, repaired, rows } = report;
  const kept = rows.slice(0, Math.max(DIFFERENCES_REPORTED_MAX - now.reported, 0));
  for (const row of kept) tx.upsert(reconciliationDifference, row);
  return {
    ...now,
    atDay: day + 1,
    compared: now.compared + compared,
    differing: now.differing + differing,
    differences: now.differences + differences,
    repaired: now.repaired + repaired,
    reported: now.reported + kept.length,
  };
}
