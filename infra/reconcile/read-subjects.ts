import { HOURS_PER_DAY } from '#domain/instant.ts';
import { GROUP_VIEW, TOTAL_VIEW } from '#domain/metering/batch.ts';
import { unpackDayCell } from '#domain/metering/day-cell.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Reads } from '#infra/database/database.ts';
import { readStoredDay, type SubjectDay } from '#infra/usage/replace-cells.ts';
import { usageDay, usageHour, type Row } from '#infra/usage/tables.ts';
import { levelAfter, type StoredSubject } from './compare-subject.ts';

export interface WantedSubjects {
  readonly of: Omit<SubjectDay, 'subject'>;
  /** These, or all that have cells of hours on the day. */
  readonly subjects: readonly string[] | undefined;
  readonly wants: (subject: string) => boolean;
}

/** What the subjects of a day have in the store, from one snapshot. */
export async function readSubjects(
  from: Reads,
  { of, subjects, wants }: WantedSubjects,
): Promise<Map<string, StoredSubject>> {
  const named = subjects ?? (await subjectsWithHours(from, of));
  const { rolledThrough } = await readCatalogueRow(from, of.namespace);
  const stored = new Map<string, StoredSubject>();
  for (const subject of named)
    if (wants(subject))
      stored.set(subject, await readSubject(from, { ...of, subject }, of.day <= rolledThrough));
  return stored;
}

async function subjectsWithHours(
  from: Reads,
  { namespace, meter, generation, day }: WantedSubjects['of'],
): Promise<Set<string>> {
  const partition = { from: day * HOURS_PER_DAY, to: (day + 1) * HOURS_PER_DAY };
  const found = new Set<string>();
  for await (const row of from.scan(usageHour, { prefix: [namespace] }, { partition }))
    if (row.meter === meter && row.generation === generation) found.add(row.subject);
  return found;
}

async function readSubject(from: Reads, of: SubjectDay, isRolled: boolean): Promise<StoredSubject> {
  const [cells, days, level] = await Promise.all([
    readStoredDay(from, of),
    isRolled ? readDays(from, of) : undefined,
    isRolled && of.aggregation === 'timeWeightedSum' ? levelBefore(from, of) : 0,
  ]);
  return { subject: of.subject, cells, days, level };
}

const seriesOf = ({ namespace, subject, meter, generation }: SubjectDay, view: number) => [
  namespace,
  subject,
  meter,
  generation,
  view,
];

async function readDays(from: Reads, of: SubjectDay): Promise<Row<typeof usageDay>[]> {
  const ofView = (view: number): Promise<Row<typeof usageDay>[]> =>
    Array.fromAsync(from.scan(usageDay, { prefix: seriesOf(of, view), from: of.day, to: of.day + 1 }));
  return (await Promise.all([ofView(TOTAL_VIEW), ofView(GROUP_VIEW)])).flat();
}

async function levelBefore(from: Reads, of: SubjectDay) {
  const range = { prefix: seriesOf(of, TOTAL_VIEW), to: of.day };
  for await (const row of from.scan(usageDay, range, { reverse: true, limit: 1 }))
    return levelAfter(unpackDayCell(of.aggregation, row));
  return 0;
}
