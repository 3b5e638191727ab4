import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Database } from '#infra/database/database.ts';
import { openSqlite } from '#infra/database/sqlite/open.ts';
import type { SqliteDatabase } from '#infra/database/sqlite/open.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { event } from '#infra/usage/tables.ts';
import type { Row } from '#infra/usage/tables.ts';

/** What the event table costs, empty and with many identities in it: `node bench/event-table.ts [preloaded] [subjects]`. */

const BATCH = 20_000;
const BATCHES = 25;
const MICROS = 1_000_000;
const START = 1_772_323_200_000_000;

type EventRow = Row<typeof event>;

function identities(count: number): Hash128[] {
  const all = randomFillSync(Buffer.allocUnsafe(count * HASH128_BYTES)).toString('latin1');
  return Array.from({ length: count }, (_, i) => all.slice(i * HASH128_BYTES, (i + 1) * HASH128_BYTES));
}

function rowsFor(ids: readonly Hash128[], subjects: number): EventRow[] {
  const digests = identities(ids.length);
  return ids.map((identity, i) => ({
    identity,
    digest: digests[i] ?? identity,
    namespace: 'default',
    type: 'llm.request',
    subject: `customer-${Math.floor(Math.random() * subjects)}`,
    time: START + Math.floor(Math.random() * 60 * MICROS),
    state: 'live',
    catalogueVersion: 3,
    committedAt: commitTimestamp,
  }));
}

const insert = (database: Database, rows: readonly EventRow[]) =>
  database.transact(async (tx) => {
    for (const row of rows) tx.insert(event, row);
  });

/** Puts so many events of random identities into the table, by the port; memory stays flat but for the index. */
export async function preloadEvents(database: Database, count: number, subjects = 1_000): Promise<void> {
  for (let at = 0; at < count; at += BATCH) {
    await insert(database, rowsFor(identities(Math.min(BATCH, count - at)), subjects));
  }
}

interface Measured {
  readonly name: string;
  readonly cpuMicros: number;
  readonly wallMicros: number;
}

/** Microseconds a row, the median over the batches; what a batch needs is made before its clock starts. */
async function measure<Input>(
  name: string,
  prepare: (batch: number) => Input,
  run: (input: Input) => Promise<unknown>,
) {
  const cpu: number[] = [];
  const wall: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const input = prepare(batch);
    const before = process.cpuUsage();
    const start = performance.now();
    await run(input);
    wall.push(((performance.now() - start) * 1_000) / BATCH);
    const used = process.cpuUsage(before);
    cpu.push((used.user + used.system) / BATCH);
  }
  const median = (all: number[]): number => all.sort((a, b) => a - b)[BATCHES >> 1] ?? 0;
  return { name, cpuMicros: median(cpu), wallMicros: median(wall) };
}

async function measureAll(database: SqliteDatabase, subjects: number): Promise<Measured[]> {
  const sent: Hash128[] = [];
  const insertion = await measure(
    'insert',
    () => rowsFor(identities(BATCH), subjects),
    async (rows) => {
      await insert(database, rows);
      for (const { identity } of rows) sent.push(identity);
    },
  );
  const inTransaction = (keys: [Hash128][]) => database.transact(async (tx) => tx.read(event, keys));
  const misses = await measure(
    'read of absent',
    () => identities(BATCH).map((id): [Hash128] => [id]),
    inTransaction,
  );
  const recent = await measure(
    'read of duplicates',
    (batch) => sent.slice(batch * BATCH, (batch + 1) * BATCH).map((id): [Hash128] => [id]),
    inTransaction,
  );
  return [insertion, misses, recent];
}

async function bytesOf(path: string): Promise<number> {
  return (await stat(path)).size;
}

function report(title: string, measured: readonly Measured[]): void {
  console.log(title);
  for (const { name, cpuMicros, wallMicros } of measured) {
    const rate = Math.round(MICROS / cpuMicros).toLocaleString('en');
    console.log(
      `  ${name.padEnd(20)} ${cpuMicros.toFixed(2)} µs CPU, ${wallMicros.toFixed(2)} µs wall a row: ${rate} rows a CPU second`,
    );
  }
}

const resident = (): string => `${Math.round(process.memoryUsage.rss() / 1e6)} MB resident`;

async function main(): Promise<void> {
  const preloaded = Number(process.argv[2] ?? 1_000_000);
  const subjects = Number(process.argv[3] ?? 1_000);
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const path = join(directory, 'millrace.db');
  const open = () => openSqlite({ path, tables: [event], clock: () => Date.now() * 1_000 });
  try {
    let database = open();
    report('empty at first', await measureAll(database, subjects));
    const start = performance.now();
    await preloadEvents(database, preloaded, subjects);
    console.log(
      `preloaded ${preloaded} in ${((performance.now() - start) / 1_000).toFixed(0)} s, ${resident()}`,
    );
    report(`${preloaded} events there`, await measureAll(database, subjects));
    console.log(`  ${resident()}`);
    await database.close();
    const rows = preloaded + 2 * BATCH * BATCHES;
    console.log(`  ${((await bytesOf(path)) / rows).toFixed(1)} bytes a row on disk`);

    database = open();
    const before = process.cpuUsage().user;
    await database.read(event, [identities(1) as [Hash128]]);
    console.log(
      `rebuilt the index in ${((process.cpuUsage().user - before) / MICROS).toFixed(1)} CPU seconds, ${resident()}`,
    );
    report('after a restart', await measureAll(database, subjects));
    await database.close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) await main();
