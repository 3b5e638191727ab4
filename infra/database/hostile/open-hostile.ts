import type { Instant } from '#domain/instant.ts';
import type { Database, ScanOptions, Snapshot } from '../database.ts';
import { StoreFailure } from '../errors.ts';
import type { KeyRange, Table } from '../table.ts';
import { answer, arrive, checkScan, readAt, scanAt } from './engine.ts';
import type { Engine } from './engine.ts';
import { noCounts } from './faults.ts';
import type { FaultCounts, Faults } from './faults.ts';
import type { Schedule } from './schedule.ts';
import { checkWholeKey, fromStored } from './stored-row.ts';
import { transact } from './transact.ts';
import { committedAt, createStore, newestVersion, rowsIn, versionAt } from './versioned-store.ts';
import type { Version } from './versioned-store.ts';

export interface HostileOptions {
  readonly tables: readonly Table<object>[];
  readonly schedule: Schedule;
  readonly faults: Faults;
}

export interface HostileDatabase extends Database {
  /** From now on these faults: a test that wants to look at the outcome in peace sets `noFaults`. */
  setFaults(faults: Faults): void;
  /** Every operation fails with `StoreFailure` until this much time has gone by; 0 ends an outage. */
  failFor(micros: number): void;
  /** The newest rows in the order of their keys, at once and without any fault. */
  rows<Row extends object>(table: Table<Row>): Row[];
  counts(): FaultCounts;
}

async function* scanSnapshot<Row extends object>(
  engine: Engine,
  table: Table<Row>,
  range: KeyRange,
  options: ScanOptions,
): AsyncGenerator<Row> {
  const scan = checkScan(table, range, options);
  await arrive(engine, `scan ${table.name}`);
  yield* scanAt(engine, scan, snapshotVersion(engine, options.at));
}

/** A snapshot of the future could still change: Spanner would wait for it, here it is an error. */
function snapshotVersion({ store, schedule }: Engine, at: Instant | undefined): number {
  if (at === undefined) return newestVersion(store);
  if (at > Math.max(schedule.now(), store.floor)) throw new StoreFailure(`a snapshot of the future: ${at}`);
  return versionAt(store, at);
}

function snapshotAt(engine: Engine, version: Version): Snapshot {
  let closed = false;
  const arriveOpen = async (label: string): Promise<void> => {
    if (closed) throw new StoreFailure(`the snapshot is closed: ${label}`);
    await arrive(engine, label);
  };
  return {
    at: committedAt(engine.store, version),
    async read(table, keys) {
      const checked = keys.map((key) => checkWholeKey(table, key));
      await arriveOpen(`snapshot read ${table.name}`);
      const rows = readAt(engine, table, checked, version);
      await answer(engine, `snapshot read ${table.name}`);
      return rows;
    },
    async *scan(table, range, options = {}) {
      const scan = checkScan(table, range, options);
      await arriveOpen(`snapshot scan ${table.name}`);
      yield* scanAt(engine, scan, version);
    },
    async close() {
      closed = true;
    },
  };
}

/** The database of a simulation: serialisable, in memory, exact in what it promises and merciless in all it does not. */
export function openHostile({ tables, schedule, faults }: HostileOptions): HostileDatabase {
  const engine: Engine = {
    schedule,
    faults,
    store: createStore(tables),
    counts: noCounts(),
    downUntil: Number.MIN_SAFE_INTEGER,
    closed: false,
  };
  return {
    async read(table, keys, options = {}) {
      const checked = keys.map((key) => checkWholeKey(table, key));
      await arrive(engine, `read ${table.name}`);
      const rows = readAt(engine, table, checked, snapshotVersion(engine, options.at));
      await answer(engine, `read ${table.name}`);
      return rows;
    },
    scan: (table, range, options = {}) => scanSnapshot(engine, table, range, options),
    async snapshot() {
      await arrive(engine, 'snapshot');
      return snapshotAt(engine, newestVersion(engine.store));
    },
    transact: (work) => transact(engine, work),
    async close() {
      engine.closed = true;
    },
    setFaults(changed) {
      engine.faults = changed;
    },
    failFor(micros) {
      engine.downUntil = schedule.now() + micros;
    },
    rows: (table) =>
      rowsIn(engine.store, table, { prefix: [] }, newestVersion(engine.store)).map((row) =>
        fromStored(table, row),
      ),
    counts: () => ({ ...engine.counts }),
  };
}
