import { commitTimestamp } from '#infra/database/table.ts';
import type { Instant } from '#domain/instant.ts';
import type { Committed, Database, Transaction } from '#infra/database/database.ts';
import { AlreadyExists, UnknownOutcome } from '#infra/database/errors.ts';
import { WarehouseLimitExceeded, WarehouseUnavailable } from '../errors.ts';
import type { DayRange } from '../questions/event-scope.ts';
import { warehouseSegment, type NewSegment, type SegmentRow } from '../segment.ts';

/** One question reads at most so many files: compaction keeps far below. */
export const LIVE_SEGMENTS_MAX = 50_000;
/** A commit whose answer was lost is run again: it finds what it wrote. */
const UNKNOWN_OUTCOME_RETRIES_MAX = 8;

/** Which files are the table. All that changes it is one transaction, so every reader sees whole appends and whole compactions. */
export interface Manifest {
  /** The files that together hold each committed row of these days once. */
  live(table: string, days?: DayRange): Promise<SegmentRow[]>;
  /** False if the name was given up as an orphan meanwhile: the rows must be written under another. */
  add(segment: NewSegment): Promise<boolean>;
  /** False if one of `inputs` is not live any more: someone else was quicker, and the output must not be used. */
  replace(inputs: readonly SegmentRow[], output: NewSegment): Promise<boolean>;
  /** Every segment the manifest knows, in any state. */
  all(table: string): Promise<SegmentRow[]>;
  /** Takes a name out of use for ever unless it is in the manifest; true if it is out of use. */
  abandon(table: string, id: string, file: string): Promise<boolean>;
  /** Forgets a replaced segment, once its file is gone. */
  forget(segment: SegmentRow): Promise<void>;
}

export function createManifest(database: Database): Manifest {
  const transact = <Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> =>
    settle(database, work);

  return {
    live: async (table, days) => {
      const live: SegmentRow[] = [];
      for (const segment of await all(database, table)) {
        if (segment.state !== 'live' || (days !== undefined && !overlaps(segment, days))) continue;
        live.push(segment);
      }
      if (live.length > LIVE_SEGMENTS_MAX) {
        throw new WarehouseLimitExceeded(
          `${live.length} live segments of ${table}, the limit is ${LIVE_SEGMENTS_MAX}: compact first`,
        );
      }
      return live;
    },
    add: (segment) =>
      transact(async (tx) => {
        const [known] = await tx.read(warehouseSegment, [[segment.table, segment.id]]);
        // Already there: a commit whose answer was lost. Its rows may even be part of another file by now.
        if (known !== undefined) return known.state !== 'abandoned';
        tx.insert(warehouseSegment, liveRow(segment));
        return true;
      }),
    replace: (inputs, output) => transact((tx) => replace(tx, inputs, output)),
    all: (table) => all(database, table),
    abandon: (table, id, file) =>
      transact(async (tx) => {
        const [known] = await tx.read(warehouseSegment, [[table, id]]);
        if (known !== undefined) return known.state === 'abandoned';
        tx.insert(warehouseSegment, abandonedRow(table, id, file));
        return true;
      }),
    forget: async ({ table, id }) => {
      await transact(async (tx) => {
        const [known] = await tx.read(warehouseSegment, [[table, id]]);
        if (known?.state === 'replaced') tx.delete(warehouseSegment, [table, id]);
      });
    },
  };
}

const overlaps = ({ minDay, maxDay }: SegmentRow, { from, to }: DayRange): boolean =>
  minDay <= to && maxDay >= from;

const liveRow = (segment: NewSegment): SegmentRow => ({
  ...segment,
  state: 'live',
  createdAt: commitTimestamp,
  closedAt: null,
});

const abandonedRow = (table: string, id: string, file: string): SegmentRow => ({
  table,
  id,
  file,
  state: 'abandoned',
  format: 'text',
  rows: 0,
  bytes: 0,
  minDay: 0,
  maxDay: 0,
  schemaVersion: 0,
  createdAt: commitTimestamp,
  closedAt: commitTimestamp,
});

async function replace(tx: Transaction, inputs: readonly SegmentRow[], output: NewSegment): Promise<boolean> {
  const keys = [...inputs, output].map(({ table, id }) => [table, id]);
  const known = await tx.read(warehouseSegment, keys);
  const written = known.pop();
  if (written !== undefined) return written.state !== 'abandoned';
  if (!known.every((segment) => segment?.state === 'live')) return false;
  for (const { table, id } of inputs) {
    tx.update(warehouseSegment, { table, id, state: 'replaced', closedAt: commitTimestamp });
  }
  tx.insert(warehouseSegment, liveRow(output));
  return true;
}

async function all(database: Database, table: string): Promise<SegmentRow[]> {
  try {
    const segments: SegmentRow[] = [];
    for await (const segment of database.scan(warehouseSegment, { prefix: [table] })) segments.push(segment);
    return segments;
  } catch (error) {
    throw new WarehouseUnavailable('the manifest of the warehouse cannot be read', { cause: error });
  }
}

async function settle<Result>(
  database: Database,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      const committed: Committed<Result> = await database.transact(work);
      return committed.result;
    } catch (error) {
      if (mayBeCommitted(error) && attempt <= UNKNOWN_OUTCOME_RETRIES_MAX) continue;
      throw new WarehouseUnavailable('the manifest of the warehouse cannot be written', { cause: error });
    }
  }
}

/** A taken key is our own row, too, that a commit of unknown outcome wrote late. */
const mayBeCommitted = (error: unknown): boolean =>
  error instanceof UnknownOutcome || error instanceof AlreadyExists;

/** How long ago a segment was closed, in microseconds; undefined while it is live. */
export const closedFor = ({ closedAt }: SegmentRow, now: Instant): Instant | undefined =>
  closedAt === null ? undefined : now - closedAt;
