import { StoreFailure } from './errors.ts';
import type { ColumnType, Index, Table, TimeToLive } from './table.ts';

const TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'STRING(MAX)',
  int64: 'INT64',
  bool: 'BOOL',
  timestamp: 'TIMESTAMP',
  bytes: 'BYTES(MAX)',
  hash: 'BYTES(16)',
  json: 'JSON',
};

/**
 * Only these may take the time of the commit on Spanner. The option is not free (such a column refuses times in the future), so it
 * goes by name: a column of this name is written by the store's clock and by nothing else.
 */
const COMMIT_TIMESTAMP_COLUMN = 'committedAt';

const SECONDS_PER_UNIT = { hours: 3_600, days: 86_400 } as const;

const quoted = (name: string): string => `\`${name}\``;
const list = (names: readonly string[]): string => names.map(quoted).join(', ');

/** GoogleSQL statements that make the tables with their indexes, parents before what is interleaved in them. */
export function spannerDdl(tables: readonly Table<object>[]): string[] {
  return parentsFirst(tables).flatMap((table) => [createTable(table), ...createIndexes(table)]);
}

function parentsFirst(tables: readonly Table<object>[]): Table<object>[] {
  const ordered = new Map<string, Table<object>>();
  const add = (table: Table<object>, below: readonly string[]): void => {
    if (ordered.has(table.name)) return;
    if (below.includes(table.name)) throw new StoreFailure(`table ${table.name} is interleaved in itself`);
    const parent = tables.find(({ name }) => name === table.interleavedIn);
    if (parent !== undefined) add(parent, [...below, table.name]);
    else if (table.interleavedIn !== undefined) {
      throw new StoreFailure(
        `table ${table.name} is interleaved in ${table.interleavedIn}, which is not declared`,
      );
    }
    ordered.set(table.name, table);
  };
  for (const table of tables) add(table, []);
  return [...ordered.values()];
}

function createTable(table: Table<object>): string {
  const { name, columns, key, interleavedIn, timeToLive } = table;
  const lines = Object.entries(columns).map(([column, { type, nullable }]) => {
    const commit = type === 'timestamp' && column === COMMIT_TIMESTAMP_COLUMN;
    const options = commit ? ' OPTIONS (allow_commit_timestamp = true)' : '';
    return `${quoted(column)} ${TYPES[type]}${nullable ? '' : ' NOT NULL'}${options}`;
  });
  const generated = timeToLive === undefined ? undefined : expiryColumn(timeToLive);
  if (generated !== undefined) lines.push(generated.definition);
  const parts = [`CREATE TABLE ${quoted(name)} (\n  ${lines.join(',\n  ')},\n) PRIMARY KEY (${list(key)})`];
  if (interleavedIn !== undefined)
    parts.push(`  INTERLEAVE IN PARENT ${quoted(interleavedIn)} ON DELETE NO ACTION`);
  if (timeToLive !== undefined) {
    const column = quoted(generated?.name ?? timeToLive.column);
    parts.push(`  ROW DELETION POLICY (OLDER_THAN(${column}, INTERVAL ${timeToLive.days} DAY))`);
  }
  return parts.join(',\n');
}

/** A policy goes by a TIMESTAMP: a column that counts hours or days gets one beside it that says the same. */
function expiryColumn({ column, unit }: TimeToLive): { name: string; definition: string } | undefined {
  if (unit === 'micros') return undefined;
  const name = `${column}Start`;
  const start = `TIMESTAMP_SECONDS(${quoted(column)} * ${SECONDS_PER_UNIT[unit]})`;
  return { name, definition: `${quoted(name)} TIMESTAMP AS (${start}) STORED` };
}

const createIndexes = (table: Table<object>): string[] =>
  Object.entries(table.indexes).map(([name, index]) => createIndex(table, name, index));

/** Nulls stay out of a unique index: any number of rows may have none, as everywhere else in SQL. */
function createIndex({ name: table, columns }: Table<object>, name: string, index: Index): string {
  const nullable = index.columns.some((column) => columns[column]?.nullable === true);
  const kind = index.unique === true ? `UNIQUE ${nullable ? 'NULL_FILTERED ' : ''}INDEX` : 'INDEX';
  return `CREATE ${kind} ${quoted(`${table}_${name}`)} ON ${quoted(table)} (${list(index.columns)})`;
}
