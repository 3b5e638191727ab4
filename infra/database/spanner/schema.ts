import { SchemaTooNew, StoreFailure } from '../errors.ts';
import { column, defineTable, nullable } from '../table.ts';
import type { Table } from '../table.ts';
import type { Connection } from './connection.ts';
import { spannerDdl } from './ddl.ts';
import type { ExistingSchema } from './ddl.ts';
import { quoted } from './names.ts';
import { toStoreError } from './status-code.ts';

/** The one row says what version the schema is of, and who is changing it. */
export const schemaState = defineTable('millrace_schema', {
  columns: {
    id: column('string'),
    /** 0 until the tables have been made. */
    version: column('int64'),
    /** The process that changes the schema, until it says that it has, or its lease ends. */
    holder: nullable('string'),
    heldUntil: nullable('timestamp'),
  },
  key: ['id'],
});
export const SCHEMA_KEY = ['schema'] as const;

/** The version of tables as they were first declared. */
export const FIRST_VERSION = 1;

export interface StoredSchema extends ExistingSchema {
  /** 0 in a database that is new. */
  readonly version: number;
}

const COLUMNS = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ''`;
const INDEXES = `SELECT index_name FROM information_schema.indexes WHERE table_schema = '' AND index_type = 'INDEX'`;

export async function readSchema(connection: Connection): Promise<StoredSchema> {
  const [columnRows, indexRows] = await Promise.all([query(connection, COLUMNS), query(connection, INDEXES)]);
  const columns = new Map<string, Set<string>>();
  for (const [table = '', name = ''] of columnRows) {
    const of = columns.get(table) ?? new Set();
    columns.set(table, of.add(name));
  }
  const indexes = new Set(indexRows.map(([name = '']) => name));
  const version = columns.has(schemaState.name) ? await readVersion(connection) : 0;
  return { columns, indexes, version };
}

async function readVersion(connection: Connection): Promise<number> {
  const [row] = await query(connection, `SELECT CAST(version AS STRING) FROM ${quoted(schemaState.name)}`);
  return Number(row?.[0] ?? 0);
}

/** The values of a query whose columns are all text. */
async function query({ client, name }: Connection, sql: string): Promise<string[][]> {
  try {
    const [rows] = await client.run({ sql });
    return (rows as { value: string }[][]).map((row) => row.map(({ value }) => value));
  } catch (error) {
    throw toStoreError(error, name);
  }
}

export function refuseNewer(name: string, version: number, latest: number): void {
  if (version <= latest) return;
  throw new SchemaTooNew(
    `${name} is of schema version ${version}, this release knows ${latest}: run the newer release, or restore a backup made before it`,
  );
}

/** Throws where the database is not as this release needs it; it may have more than that. */
export async function checkSchema(
  connection: Connection,
  tables: readonly Table<object>[],
  latest: number,
): Promise<void> {
  const { name } = connection;
  const schema = await readSchema(connection);
  refuseNewer(name, schema.version, latest);
  if (schema.version === latest && spannerDdl(tables, schema).length === 0) return;
  throw new StoreFailure(`${name} is not of this release's schema: run the migrations first`);
}
