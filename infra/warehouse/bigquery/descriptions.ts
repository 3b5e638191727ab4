import type { WarehouseTable } from '../tables.ts';

/** What each column means, for whoever meets the tables in BigQuery or in dbt. */
const COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  events: {
    identity:
      'Which event: the first 16 bytes of SHA-256(namespace, source, id) as 32 hex digits. Copies, voids and restores of an event share it.',
    digest:
      'What the event says: the first 16 bytes of SHA-256 over identity and canonical text, as 32 hex digits. Null where a void came before its event.',
    outcome:
      'What became of the row: accepted, conflict (the identity was taken by another event), void or restored.',
    namespace: 'Whose event: the isolation boundary.',
    id: 'CloudEvents id, unique within its source.',
    source: 'CloudEvents source.',
    type: 'CloudEvents type, which meters match.',
    subject: 'Whose usage: an opaque id that a customer owns.',
    time: 'When it happened, in UTC. The table is partitioned by its day.',
    data: 'The payload as canonical JSON text, every digit as it was sent. Null for most voids and restores.',
    attributes: 'The other CloudEvents attributes as a JSON object; null where there are none.',
    published_at: 'When the topic took the message that brought this copy.',
    committed_at:
      'When the event was counted, voided or restored. Later voids hide the event; later restores show it again.',
    catalogue_version: 'The version of the catalogue that it was counted with.',
    matched_meters: 'The meters that counted it, as key@generation.',
  },
};

/** Columns that only views have. */
export const VIEW_COLUMNS = {
  namespace: 'Whose usage: the isolation boundary.',
  subject: 'Whose usage: an opaque id that a customer owns.',
  day: 'The UTC day of the event. What is read of the table is decided by it.',
  meter: 'The meter, as key@generation.',
  window_start: 'Where the UTC window begins.',
  aggregation: 'How the meter aggregates: count, sum, min, max, average, unique or latest.',
  events: 'How many events the window has.',
  value: 'The usage, exactly. For an average it is the sum, to be divided by events.',
} as const;

const TABLES: Readonly<Record<string, string>> = {
  events:
    'Every event that was committed, at least once, with all outcomes. Count events through events_exact: here each may have several rows.',
};

/** The description of a column; throws where there is none, so that a new column gets one. */
export function describeColumn(table: WarehouseTable, column: string): string {
  const description = COLUMNS[table.name]?.[column];
  if (description === undefined) throw new RangeError(`${table.name}.${column} has no description`);
  return description;
}

export function describeTable(table: WarehouseTable): string {
  const description = TABLES[table.name];
  if (description === undefined) throw new RangeError(`${table.name} has no description`);
  return description;
}
