import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Database } from '../database.ts';
import { StoreFailure } from '../errors.ts';
import type { Table } from '../table.ts';
import { connectSpanner, isEmulated } from './connection.ts';
import type { Connection, SpannerAddress } from './connection.ts';
import { ensureDatabase, updateDdl } from './admin.ts';
import { spannerDdl } from './ddl.ts';
import { databaseOn } from './database-on.ts';
import { FIRST_VERSION, SCHEMA_KEY, readSchema, refuseNewer, schemaState } from './schema.ts';

/**
 * Takes a database from version `number` - 1 to `number`. A new database gets the tables as they are declared now and is of the newest
 * version at once, so a migration is written for older ones only. A table, an index, or a column that may be null needs none. It may be
 * run again from its beginning, as a process can die within it.
 */
export interface SpannerMigration {
  readonly number: number;
  readonly name: string;
  /** Statements of DDL, or work on the database, whose transactions are bounded as all are. */
  readonly up: readonly string[] | ((database: Database) => Promise<void>);
}

export interface MigrationOptions extends SpannerAddress {
  readonly tables: readonly Table<object>[];
  /** From number 2 on. */
  readonly migrations?: readonly SpannerMigration[];
  readonly clock: () => Instant;
}

export interface MigrationReport {
  readonly from: number;
  readonly to: number;
  /** DDL statements that were applied. */
  readonly statements: number;
}

/** Who has it changes the schema alone. It is kept as long as the process lives, and taken over soon after. */
const LEASE_SECONDS = 60;
const RENEWAL_MS = 15_000;
const LEASE_POLL_MS = 500;
/** To fill a new index of a large table takes hours. */
const LEASE_WAIT_MS_MAX = 4 * 3_600_000;

/**
 * Brings a database to what this release declares; on an emulator it also makes the instance and the database. Any number of processes may do
 * so at once: one works, the others wait and find nothing left. Throws `SchemaTooNew` for a database of a newer release.
 */
export async function migrateSpanner(options: MigrationOptions): Promise<MigrationReport> {
  const { tables, migrations = [] } = options;
  checkMigrations(migrations);
  if (isEmulated(options)) await ensureDatabase(options);
  const connection = connectSpanner(options);
  try {
    const latest = latestVersion(migrations);
    const before = await readSchema(connection);
    refuseNewer(connection.name, before.version, latest);
    if (before.version === latest && spannerDdl(tables, before).length === 0)
      return { from: latest, to: latest, statements: 0 };
    await updateDdl(connection, spannerDdl([schemaState], before));
    return await withLease(connection, options.clock, () => applyAll(connection, { ...options, migrations }));
  } finally {
    await connection.close();
  }
}

/** The newest version that a release with these migrations knows. */
export const latestVersion = (migrations: readonly SpannerMigration[]): number =>
  migrations.at(-1)?.number ?? FIRST_VERSION;

export function checkMigrations(migrations: readonly SpannerMigration[]): void {
  for (const [i, { number, name }] of migrations.entries()) {
    const expected = FIRST_VERSION + 1 + i;
    if (number !== expected)
      throw new StoreFailure(`migration ${name} is number ${number}, it should be ${expected}`);
  }
}

/** With the lease: what another process did meanwhile is not done again. */
async function applyAll(
  connection: Connection,
  { tables, migrations }: Required<Pick<MigrationOptions, 'tables' | 'migrations'>>,
): Promise<MigrationReport> {
  const database = databaseOn(connection, [...tables, schemaState]);
  const { version: from } = await readSchema(connection);
  const to = latestVersion(migrations);
  refuseNewer(connection.name, from, to);
  let statements = 0;
  for (const migration of from === 0 ? [] : migrations.filter(({ number }) => number > from)) {
    statements += await runMigration(connection, database, migration);
    await setVersion(database, migration.number);
  }
  const missing = spannerDdl(tables, await readSchema(connection));
  await updateDdl(connection, missing);
  await setVersion(database, to);
  return { from, to, statements: statements + missing.length };
}

async function runMigration(
  connection: Connection,
  database: Database,
  { number, name, up }: SpannerMigration,
): Promise<number> {
  try {
    if (typeof up !== 'function') {
      await updateDdl(connection, up);
      return up.length;
    }
    await up(database);
    return 0;
  } catch (error) {
    throw new StoreFailure(
      `migration ${number} (${name}) failed; mend the cause and run it again: ${String(error)}`,
      error,
    );
  }
}

const setVersion = async (database: Database, version: number): Promise<void> =>
  void (await database.transact(async (tx) => tx.update(schemaState, { id: SCHEMA_KEY[0], version })));

async function withLease<Result>(
  connection: Connection,
  clock: () => Instant,
  work: () => Promise<Result>,
): Promise<Result> {
  const database = databaseOn(connection, [schemaState]);
  const holder = randomUUID();
  const lease = { database, clock, holder };
  const startedAt = performance.now();
  while (!(await takeLease(lease))) {
    if (performance.now() - startedAt > LEASE_WAIT_MS_MAX)
      throw new StoreFailure(`${connection.name}: another process has been changing the schema for too long`);
    await pause(LEASE_POLL_MS);
  }
  // A renewal that fails is followed by another; the lease is longer than some of them.
  const renewal = setInterval(() => void takeLease(lease).catch(() => undefined), RENEWAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await releaseLease(lease);
  }
}

interface Lease {
  readonly database: Database;
  readonly clock: () => Instant;
  readonly holder: string;
}

/** Whether it is this process's now. */
async function takeLease({ database, clock, holder }: Lease): Promise<boolean> {
  const heldUntil = clock() + LEASE_SECONDS * MICROS_PER_SECOND;
  const { result } = await database.transact(async (tx) => {
    const [row] = await tx.read(schemaState, [SCHEMA_KEY]);
    const isFree = row?.holder == null || row.holder === holder || (row.heldUntil ?? 0) < clock();
    if (isFree) tx.upsert(schemaState, { id: SCHEMA_KEY[0], version: row?.version ?? 0, holder, heldUntil });
    return isFree;
  });
  return result;
}

async function releaseLease({ database, holder }: Lease): Promise<void> {
  await database.transact(async (tx) => {
    const [row] = await tx.read(schemaState, [SCHEMA_KEY]);
    if (row?.holder === holder) tx.upsert(schemaState, { ...row, holder: null, heldUntil: null });
  });
}
