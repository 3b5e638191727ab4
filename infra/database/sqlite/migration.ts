import { SchemaTooNew, StoreFailure } from '#infra/database/errors.ts';
import type { Table } from '#infra/database/table.ts';
import { adoptColumns, hasAdopted } from './adopted-columns.ts';
import type { PackedTable } from './adopted-columns.ts';
import { appendOnlyTable } from './append-only/ddl.ts';
import { META_DDL } from './commit-clock.ts';
import type { Connection } from './connection.ts';
import { indexDdl, tableDdl } from './ddl.ts';
import { quoted } from './field.ts';
import { partitionedTable } from './partitioned/ddl.ts';

/**
 * Takes a database from version `number` - 1 to `number`. Version 1 is the tables as they were first declared: a new database gets
 * the tables as they are declared now and is of the newest version at once, so a migration is written for older ones only. A table
 * or an index that is merely new needs none.
 */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly up: readonly string[] | ((connection: Connection) => void);
}

const FIRST_VERSION = 1;
const SCHEMA_VERSION = `SELECT value FROM millrace_meta WHERE name = 'schemaVersion'`;

export interface Schema {
  readonly path: string;
  readonly tables: readonly Table<object>[];
  readonly migrations: readonly Migration[];
}

/** Whether the database is as declared; throws when it is of a newer release, which no migration can mend. */
export function isCurrent(connection: Connection, schema: Schema): boolean {
  const version = schemaVersion(connection);
  refuseNewer(version, schema);
  if (version !== latestVersion(schema)) return false;
  const there = namesIn(connection);
  const ddl = schema.tables.flatMap((table) => [...tableDdl(table), ...indexDdl(table)]);
  if (!ddl.every((sql) => there.has(createdName(sql)))) return false;
  return schema.tables.every((table) => hasColumns(connection, table));
}

/** Inside a write transaction: brings the database to what is declared. */
export function migrate(connection: Connection, schema: Schema): void {
  const { tables, migrations } = schema;
  for (const sql of META_DDL) connection.exec(sql);
  const version = schemaVersion(connection);
  refuseNewer(version, schema);
  for (const migration of migrations) {
    if (version !== undefined && migration.number > version) runMigration(connection, migration);
  }
  refuseOtherLayouts(connection, schema);
  for (const sql of tables.flatMap(tableDdl)) connection.exec(sql);
  for (const table of tables) {
    const packed = packedTable(table);
    if (packed !== undefined) adoptColumns(connection, packed);
    const [missing] = missingColumns(connection, table);
    if (missing === undefined) continue;
    throw new StoreFailure(
      `${schema.path}: table ${table.name} lacks its column ${missing}; a migration has to add it`,
    );
  }
  for (const sql of tables.flatMap(indexDdl)) connection.exec(sql);
  connection.statement(`REPLACE INTO millrace_meta VALUES ('schemaVersion', ?)`).run([latestVersion(schema)]);
}

export function checkMigrations(migrations: readonly Migration[]): void {
  for (const [i, { number, name }] of migrations.entries()) {
    const expected = FIRST_VERSION + 1 + i;
    if (number !== expected)
      throw new StoreFailure(`migration ${name} is number ${number}, it should be ${expected}`);
  }
}

const latestVersion = ({ migrations }: Schema): number => migrations.at(-1)?.number ?? FIRST_VERSION;

function refuseNewer(version: number | undefined, schema: Schema): void {
  const latest = latestVersion(schema);
  if (version === undefined || version <= latest) return;
  throw new SchemaTooNew(
    `${schema.path} is of schema version ${version}, this release knows ${latest}: run the newer release, or restore a backup made before it`,
  );
}

/** A packed table has no SQL table of its own name: one that is there holds rows that would silently be missed. */
function refuseOtherLayouts(connection: Connection, { path, tables }: Schema): void {
  const there = namesIn(connection);
  const other = tables.find((table) => table.layout.kind !== 'rows' && there.has(table.name));
  if (other === undefined) return;
  throw new StoreFailure(
    `${path}: the rows of ${other.name} are laid out as an earlier release did; a migration has to move them`,
  );
}

function runMigration(connection: Connection, { number, name, up }: Migration): void {
  try {
    if (typeof up === 'function') up(connection);
    else for (const sql of up) connection.exec(sql);
  } catch (error) {
    throw new StoreFailure(
      `migration ${number} (${name}) failed, nothing was changed: ${String(error)}`,
      error,
    );
  }
}

/** Undefined in a database that is new. */
function schemaVersion(connection: Connection): number | undefined {
  if (!namesIn(connection).has('millrace_meta')) return undefined;
  const version = connection.statement(SCHEMA_VERSION).get([])?.[0];
  return version === undefined ? undefined : Number(version);
}

const namesIn = (connection: Connection): Set<string> =>
  new Set(
    connection
      .statement('SELECT name FROM sqlite_schema')
      .all([])
      .map(([name]) => String(name)),
  );

/** The name of what a statement creates; one that creates nothing is of no interest here. */
const createdName = (sql: string): string =>
  /^CREATE .*?IF NOT EXISTS "([^"]+)"/.exec(sql)?.[1] ?? 'millrace_meta';

/** Undefined for a table of real columns. */
function packedTable(table: Table<object>): PackedTable | undefined {
  switch (table.layout.kind) {
    case 'rows':
      return undefined;
    case 'appendOnly':
      return appendOnlyTable(table);
    case 'partitioned':
      return partitionedTable(table);
  }
}

function hasColumns(connection: Connection, table: Table<object>): boolean {
  const packed = packedTable(table);
  return packed === undefined
    ? missingColumns(connection, table).length === 0
    : hasAdopted(connection, packed);
}

function missingColumns(connection: Connection, table: Table<object>): string[] {
  if (table.layout.kind !== 'rows') return [];
  const columns = connection.statement(`SELECT name FROM pragma_table_info(?)`).all([table.name]);
  const there = new Set(columns.map(([name]) => String(name)));
  return Object.keys(table.columns).filter((name) => !there.has(name));
}

/** For a migration: adds a declared column to a table of real columns; `value` is what older rows have in it, null if it may be. */
export function addColumn(
  connection: Connection,
  table: Table<object>,
  name: string,
  value?: string | number,
): void {
  const definition = new RegExp(`${quoted(name)} [A-Z]+( NOT NULL)?`).exec(tableDdl(table)[0] ?? '')?.[0];
  if (definition === undefined) throw new StoreFailure(`table ${table.name} declares no column ${name}`);
  const text = typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
  const initially = value === undefined ? '' : ` DEFAULT ${text}`;
  connection.exec(`ALTER TABLE ${quoted(table.name)} ADD COLUMN ${definition}${initially}`);
}
