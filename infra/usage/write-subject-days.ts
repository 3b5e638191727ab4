import type { DayIndex } from '#domain/instant.ts';
import { TOTAL_VIEW } from '#domain/metering/batch.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import {
  readStoredDay,
  replaceCells,
  type CellOwner,
  type NewHour,
  type NewValue,
  type SubjectDay,
} from './replace-cells.ts';

/** Cells of a subject's day as its events make them. */
export interface CountedDay {
  readonly subject: string;
  readonly hours: readonly NewHour[];
  readonly values: readonly NewValue[];
}

export interface WriteDays {
  readonly of: Omit<SubjectDay, 'subject'>;
  readonly owners: ReadonlySet<CellOwner>;
  /** Asked in each transaction, and throws where it must not be written any more. */
  readonly check: (tx: Transaction) => Promise<unknown>;
}

/** Rows of one transaction, about: far below what a store takes, enough that its commit does not count. */
export const ROWS_PER_TRANSACTION = 1_000;

export const rowsOf = ({ hours, values }: CountedDay): number => hours.length + values.length;

/** Replaces the cells of some subjects' days in one transaction; those of a subject that has more than it may hold in several. */
export async function writeSubjectDays(
  database: Database,
  write: WriteDays,
  days: readonly CountedDay[],
): Promise<void> {
  const [first] = days;
  if (first === undefined) return;
  const chunks = days.length === 1 ? chunksOf(first) : [undefined];
  for (const handles of chunks) {
    await database.transact(async (tx) => {
      await write.check(tx);
      const { closedThrough } = await readCatalogueRow(tx, write.of.namespace);
      for (const day of days) await writeDay(tx, write, day, { closedThrough, handles });
    });
  }
}

type Handles = (view: number, group: string) => boolean;

async function writeDay(
  tx: Transaction,
  { of, owners }: WriteDays,
  { subject, hours, values }: CountedDay,
  { closedThrough, handles }: { readonly closedThrough: DayIndex; readonly handles: Handles | undefined },
): Promise<void> {
  const subjectDay = { ...of, subject };
  const stored = await readStoredDay(tx, subjectDay);
  await replaceCells(tx, subjectDay, { stored, hours, values, owners, handles, closedThrough });
}

/** Series by series, as many at a time as a transaction may hold; the last takes those that have nothing any more. */
function chunksOf(day: CountedDay): (Handles | undefined)[] {
  if (rowsOf(day) <= ROWS_PER_TRANSACTION) return [undefined];
  const series = Map.groupBy(day.hours, ({ view, group }) => nameOf(view, group));
  const chunks: Set<string>[] = [new Set([nameOf(TOTAL_VIEW, '')])];
  let rows = day.values.length;
  for (const [name, hours] of series) {
    if (rows + hours.length > ROWS_PER_TRANSACTION) {
      chunks.push(new Set());
      rows = 0;
    }
    chunks.at(-1)?.add(name);
    rows += hours.length;
  }
  const placed = new Map(
    chunks.flatMap((names, place) => Array.from(names, (name) => [name, place] as const)),
  );
  return chunks.map(
    (_, place): Handles =>
      (view, group) =>
        (placed.get(nameOf(view, group)) ?? chunks.length - 1) === place,
  );
}

const nameOf = (view: number, group: string): string => `${view} ${group}`;
