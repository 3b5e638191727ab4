import type { Instant } from '#domain/instant.ts';
import type { ScanOptions, Transaction } from '../database.ts';
import { RefusedValue, StoreFailure } from '../errors.ts';
import { mutationsOf } from '../mutation-count.ts';
import type { KeyRange, Table } from '../table.ts';
import { answer, arrive, checkScan, readAt, scanAt } from './engine.ts';
import type { Engine } from './engine.ts';
import { createReadSet, isStale, recordKeys, recordRange } from './read-set.ts';
import type { ReadSet } from './read-set.ts';
import { chance } from './schedule.ts';
import { checkWholeKey, columnsToStored, fromStored, rowToStored } from './stored-row.ts';
import { applyCommit, newestVersion, nextCommitTime } from './versioned-store.ts';
import type { Version } from './versioned-store.ts';
import { MUTATIONS_PER_COMMIT_MAX } from '#domain/limits.ts';
import { checkUniqueIndexes, planChanges } from './writes.ts';
import type { Write } from './writes.ts';

/** One run of the work of a transaction: it sees the state at its start, and its writes wait for the commit. */
export interface Run {
  readonly version: Version;
  readonly readSet: ReadSet;
  readonly writes: Write[];
  mutations: number;
  state: 'open' | 'aborted' | 'over';
}

/** What a read of an aborted run throws into the work; whatever the work makes of it, the run is repeated. */
class Aborted extends Error {
  constructor() {
    super('the transaction was aborted and will be run again');
    this.name = 'Aborted';
  }
}

export const startRun = ({ store }: Engine): Run => ({
  version: newestVersion(store),
  readSet: createReadSet(),
  writes: [],
  mutations: 0,
  state: 'open',
});

export const isAborted = (run: Run): boolean => run.state === 'aborted';

export function abort({ counts }: Engine, run: Run): 'again' {
  counts.aborts++;
  run.state = 'aborted';
  return 'again';
}

/** Work that goes on after its own end, or beside its commit, has forgotten to await something. */
function checkOpen(run: Run, label: string): void {
  if (run.state === 'over') throw new StoreFailure(`the transaction is over: ${label}`);
  if (run.state === 'aborted') throw new Aborted();
}

async function arriveInRun(engine: Engine, run: Run, label: string): Promise<void> {
  checkOpen(run, label);
  await arrive(engine, label);
  checkOpen(run, label);
  if (!chance(engine.schedule, engine.faults.abort)) return;
  abort(engine, run);
  throw new Aborted();
}

async function* scanInRun<Row extends object>(
  engine: Engine,
  run: Run,
  table: Table<Row>,
  [range, options]: [KeyRange, ScanOptions],
): AsyncGenerator<Row> {
  const scan = checkScan(table, range, options);
  await arriveInRun(engine, run, `tx scan ${table.name}`);
  recordRange(run.readSet, table, scan.columns, scan.range);
  yield* scanAt(engine, scan, run.version);
}

function buffer(run: Run, write: Write): void {
  checkOpen(run, `${write.kind} ${write.table.name}`);
  run.mutations += mutationsOf(write);
  if (run.mutations > MUTATIONS_PER_COMMIT_MAX) {
    throw new StoreFailure(`a transaction has at most ${MUTATIONS_PER_COMMIT_MAX} mutations`);
  }
  run.writes.push(write);
}

/** The transaction as the work sees it. */
export function transactionOf(engine: Engine, run: Run): Transaction {
  return {
    async read(table, keys) {
      const checked = keys.map((key) => checkWholeKey(table, key));
      await arriveInRun(engine, run, `tx read ${table.name}`);
      recordKeys(run.readSet, table, checked);
      const rows = readAt(engine, table, checked, run.version);
      await answer(engine, `tx read ${table.name}`);
      return rows;
    },
    scan: (table, range, options = {}) => scanInRun(engine, run, table, [range, options]),
    insert: (table, row) => buffer(run, { kind: 'insert', table, row: rowToStored(table, row) }),
    update: (table, row) => buffer(run, { kind: 'update', table, row: columnsToStored(table, row) }),
    upsert: (table, row) => buffer(run, { kind: 'upsert', table, row: rowToStored(table, row) }),
    delete: (table, key) => buffer(run, { kind: 'delete', table, key: checkWholeKey(table, key) }),
  };
}

/**
 * Commits the run at this moment, all of it or nothing. Answers 'stale' if what it read has changed since: only then could the result
 * differ from that of running the transactions one after the other in the order of their commits.
 */
export function commit({ store, schedule, faults, counts }: Engine, run: Run): Instant | 'stale' {
  if (isStale(run.readSet, store, run.version)) return 'stale';
  const committedAt = nextCommitTime(store, schedule.now());
  const changes = planChanges(store, run.writes, committedAt);
  checkUniqueIndexes(store, changes);
  for (const { table, after } of changes) {
    if (after === undefined || faults.refuse?.(fromStored(table, after), table.name) !== true) continue;
    counts.refusals++;
    throw new RefusedValue(`a value of ${table.name} is refused`);
  }
  applyCommit(store, { committedAt, changes });
  counts.commits++;
  return committedAt;
}
