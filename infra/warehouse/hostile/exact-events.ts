import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { dayOf } from '#domain/instant.ts';
import type { Instant } from '#domain/instant.ts';
import type { WarehouseRow } from '../warehouse.ts';

const text = (row: WarehouseRow, column: string): string => String(row[column]);

export function instantOf(row: WarehouseRow, column: string): Instant {
  const parsed = parseRfc3339(text(row, column));
  if (parsed === undefined) throw new RangeError(`${column} is no time: ${text(row, column)}`);
  return parsed.at;
}

/** Rows of one event. A copy with another subject or day never takes part: the warehouse looks at one partition and cluster at a time. */
const placeOf = (row: WarehouseRow): string =>
  JSON.stringify([row['namespace'], row['subject'], dayOf(instantOf(row, 'time')), row['identity']]);

const isAfter = (row: WarehouseRow, other: WarehouseRow): boolean =>
  instantOf(row, 'committed_at') > instantOf(other, 'committed_at');

const publishedAt = (row: WarehouseRow): Instant =>
  row['published_at'] === null ? Infinity : instantOf(row, 'published_at');

/** The accepted row with the least publish time, unless the event is void now; a restore undoes the voids before it. */
function exactRowOf(rows: readonly WarehouseRow[]): WarehouseRow | undefined {
  const having = (outcome: string): WarehouseRow[] => rows.filter((row) => row['outcome'] === outcome);
  const restored = having('restored');
  const voids = having('void').filter((row) => !restored.some((restore) => isAfter(restore, row)));
  const accepted = having('accepted').filter((row) => !voids.some((voided) => isAfter(voided, row)));
  return accepted.sort((a, b) => publishedAt(a) - publishedAt(b))[0];
}

const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** What the exact view shows of these rows of `events`, each event once, ordered by time and identity. */
export function exactEvents(rows: readonly WarehouseRow[]): WarehouseRow[] {
  const events = [...Map.groupBy(rows, placeOf).values()].map(exactRowOf).filter((row) => row !== undefined);
  return events.sort(
    (a, b) =>
      instantOf(a, 'time') - instantOf(b, 'time') || compareText(text(a, 'identity'), text(b, 'identity')),
  );
}
