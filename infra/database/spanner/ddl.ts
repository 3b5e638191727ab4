import { StoreFailure } from '../errors.ts';
import type { ColumnType, Table, TimeToLive } from '../table.ts';
import { fieldNamed } from '#infra/database/field.ts';
import type { Field } from '#infra/database/field.ts';
import { layoutOf, physicalIndex, physicalKey } from './layout.ts';
import type { Layout } from './layout.ts';
import { indexName, isNullFiltered, quoted } from './names.ts';
import { SHARD_COLUMN } from './shard.ts';

/** A document is text: a JSON column would put its members in another order and its numbers into doubles. */
const TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'STRING(MAX)',
  int64: 'INT64',
  bool: 'BOOL',
  timestamp: 'TIMESTAMP',
  bytes: 'BYTES(MAX)',
  hash: 'BYTES(16)',
  json: 'STRING(MAX)',
};

const SECONDS_PER_UNIT = { hours: 3_600, days: 86_400 } as const;

/** What a database has of tables, their columns and indexes, by name. */
export interface ExistingSchema {
  readonly columns: ReadonlyMap<string, ReadonlySet<string>>;
  readonly indexes: ReadonlySet<string>;
}

const NOTHING: ExistingSchema = { columns: new Map(), indexes: new Set() };

/**
 * GoogleSQL statements that make what is missing of the tables: parents before what is interleaved in them, each statement harmless if
 * another process was faster. Throws `StoreFailure` where only a migration can help, as older rows would have nothing in a new column.
 */
export function spannerDdl(tables: readonly Table<object>[], existing: ExistingSchema = NOTHING): string[] {
  return parentsFirst(tables).flatMap((table) => {
    const columns = existing.columns.get(table.name);
    const layout = layoutOf(table);
    const rows = columns === undefined ? [createTable(layout)] : missingColumns(layout, columns);
    const indexes = Object.keys(table.indexes).filter(
      (name) => !existing.indexes.has(indexName(table, name)),
    );
    return [...rows, ...indexes.map((name) => createIndex(layout, name))];
  });
}

const list = (names: readonly string[]): string => names.map(quoted).join(', ');

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

function columnDdl({ name, type, nullable, commitTime }: Field): string {
  const options = commitTime ? ' OPTIONS (allow_commit_timestamp = true)' : '';
  return `${quoted(name)} ${TYPES[type]}${nullable ? '' : ' NOT NULL'}${options}`;
}

function createTable(layout: Layout): string {
  const { name, interleavedIn, timeToLive, spread } = layout.table;
  const lines = layout.fields.map(columnDdl);
  if (spread !== undefined) lines.push(`${quoted(SHARD_COLUMN)} INT64 NOT NULL`);
  const generated = timeToLive === undefined ? undefined : expiryColumn(timeToLive);
  if (generated !== undefined) lines.push(generated.definition);
  const parts = [
    `CREATE TABLE IF NOT EXISTS ${quoted(name)} (\n  ${lines.join(',\n  ')},\n) PRIMARY KEY (${list(physicalKey(layout))})`,
  ];
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

function missingColumns({ table, fields }: Layout, there: ReadonlySet<string>): string[] {
  const missing = fields.filter(({ name }) => !there.has(name));
  const lost = missing.find(({ nullable }) => !nullable)?.name ?? lostShard(table, there);
  if (lost === undefined) return missing.map((field) => addColumnDdl(table, field.name));
  throw new StoreFailure(`table ${table.name} lacks its column ${lost}; a migration has to add it`);
}

const lostShard = ({ spread }: Table<object>, there: ReadonlySet<string>): string | undefined =>
  spread === undefined || there.has(SHARD_COLUMN) ? undefined : SHARD_COLUMN;

/** Also for a migration, which then fills the column. */
export function addColumnDdl(table: Table<object>, name: string): string {
  const definition = columnDdl(fieldNamed(layoutOf(table).fields, name, table.name));
  return `ALTER TABLE ${quoted(table.name)} ADD COLUMN IF NOT EXISTS ${definition}`;
}

function createIndex(layout: Layout, name: string): string {
  const { table } = layout;
  const filtered = isNullFiltered(table, name) ? 'NULL_FILTERED ' : '';
  const kind = table.indexes[name]?.unique === true ? `UNIQUE ${filtered}INDEX` : 'INDEX';
  const columns = list(physicalIndex(layout, name));
  return `CREATE ${kind} IF NOT EXISTS ${quoted(indexName(table, name))} ON ${quoted(table.name)} (${columns})`;
}
