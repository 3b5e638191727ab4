import { stringify } from 'csv-stringify/sync';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { UsageRow } from '#domain/usage/usage-rows.ts';
import { plainCell } from '#infra/documents/plain-cell.ts';

/** What the columns of an answer are: one for each dimension that rows are grouped by, under its name. */
export interface CsvShape {
  readonly bySubject: boolean;
  readonly dimensions: readonly string[];
}

/** No dimension may be called `subject`; the other columns' names keep clear of dimensions by their place. */
export const csvHeader = ({ bySubject, dimensions }: CsvShape): string =>
  stringify([['from', 'to', ...(bySubject ? ['subject'] : []), ...dimensions, 'value']]);

/** Rows as lines of CSV. A value that is null is empty. */
export const csvLines = ({ bySubject, dimensions }: CsvShape, rows: readonly UsageRow[]): string =>
  stringify(
    rows.map(({ from, to, subject = '', group = {}, value }) => [
      formatInstant(from),
      formatInstant(to),
      ...(bySubject ? [plainCell(subject)] : []),
      ...dimensions.map((name) => plainCell(group[name] ?? '')),
      value ?? '',
    ]),
  );
