import { MICROS_PER_SECOND } from '#domain/instant.ts';
import type { Instant } from '#domain/instant.ts';
import type { ScanOptions } from '../database.ts';
import { StoreFailure } from '../errors.ts';
import type { Key, KeyRange, Table } from '../table.ts';
import type { FaultCounts, Faults } from './faults.ts';
import { below, chance, delay } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { checkKey, fromStored } from './stored-row.ts';
import type { StoredRow } from './stored-row.ts';
import { rangeColumns, rowAt, rowsIn } from './versioned-store.ts';
import type { Version, VersionedStore } from './versioned-store.ts';

/** An outage that the seed brings about ends within this time. */
const OUTAGE_MICROS_MAX = 5 * MICROS_PER_SECOND;
/** A scan brings its rows in batches of this many; between two, others may get their turn. */
const ROWS_PER_SCAN_BATCH = 16;

/** What all operations of one store share. */
export interface Engine {
  readonly schedule: Schedule;
  readonly store: VersionedStore;
  readonly counts: FaultCounts;
  faults: Faults;
  downUntil: Instant;
  closed: boolean;
}

/** The way of a request to the store. Whatever it does there happens at once when this has resolved. */
export async function arrive(engine: Engine, label: string): Promise<void> {
  const { schedule, faults, counts } = engine;
  if (engine.closed) throw new StoreFailure(`the database is closed: ${label}`);
  await schedule.point(label);
  if (chance(schedule, faults.outage ?? 0))
    engine.downUntil = schedule.now() + 1 + below(schedule, OUTAGE_MICROS_MAX);
  if (schedule.now() >= engine.downUntil) return;
  counts.outages++;
  throw new StoreFailure(`the store is down: ${label}`);
}

/** The way of an answer back. */
export const answer = ({ schedule, faults }: Engine, label: string): Promise<void> =>
  delay(schedule, faults.delay, `${label}: late answer`);

export function readAt<Row extends object>(
  { store }: Engine,
  table: Table<Row>,
  keys: readonly Key[],
  version: Version,
): (Row | undefined)[] {
  return keys.map((key) => {
    const row = rowAt(store, table, key, version);
    return row && fromStored(table, row);
  });
}

/** A scan whose arguments have been checked and copied. */
export interface CheckedScan<Row extends object> {
  readonly table: Table<Row>;
  readonly columns: readonly string[];
  readonly range: KeyRange;
  readonly options: ScanOptions;
}

export function checkScan<Row extends object>(
  table: Table<Row>,
  range: KeyRange,
  options: ScanOptions,
): CheckedScan<Row> {
  const columns = rangeColumns(table, options.index);
  const prefix = checkKey(table, columns, range.prefix);
  const [from, to] = [range.from, range.to].map((end) =>
    end === undefined ? undefined : checkKey(table, columns, [...prefix, end]).at(-1),
  );
  const { limit } = options;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new StoreFailure(`a scan's limit is a whole number, not ${limit}`);
  }
  const ends = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  return { table, columns, range: { prefix, ...ends }, options };
}

export async function* scanAt<Row extends object>(
  engine: Engine,
  { table, range, options }: CheckedScan<Row>,
  version: Version,
): AsyncGenerator<Row> {
  const rows = ofPartition(
    table,
    rowsIn(engine.store, table, { ...range, index: options.index }, version),
    options,
  );
  if (options.reverse === true) rows.reverse();
  for (const [position, row] of rows.slice(0, options.limit).entries()) {
    if (position % ROWS_PER_SCAN_BATCH === 0) await answer(engine, `scan ${table.name}`);
    yield fromStored(table, row);
  }
}

/** The rows whose partition lies in the range, by partition and then by key: the sort is stable, and rows come by key. */
function ofPartition<Row extends object>(
  { layout }: Table<Row>,
  rows: StoredRow[],
  { partition }: ScanOptions,
): StoredRow[] {
  if (partition === undefined) return rows;
  if (layout.kind !== 'partitioned')
    throw new StoreFailure('only a partitioned table can be scanned by partition');
  const partitionOf = (row: StoredRow): number => Number(row[layout.by]);
  return rows
    .filter((row) => partitionOf(row) >= partition.from && partitionOf(row) < partition.to)
    .sort((a, b) => partitionOf(a) - partitionOf(b));
}
