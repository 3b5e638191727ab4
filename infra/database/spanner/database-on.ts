import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Database, ReadOptions } from '../database.ts';
import { StoreFailure } from '../errors.ts';
import { serialQueue } from '../serial-queue.ts';
import type { Key, KeyRange, Table } from '../table.ts';
import { checkCallOptions, readRequestOptions } from './call-options.ts';
import type { CallOptions } from './call-options.ts';
import type { Connection } from './connection.ts';
import { layoutOf } from './layout.ts';
import type { Layout } from './layout.ts';
import { protoTimeOf } from './proto-time.ts';
import { keyReads, scanPlanned } from './row-source.ts';
import type { RowSource } from './row-source.ts';
import { openStream } from './row-stream.ts';
import { planScan } from './scan-plan.ts';
import type { ScanBy } from './scan-plan.ts';
import { SCAN_PATIENCE, createSnapshots, openSnapshotSource } from './snapshots.ts';
import type { Snapshots, TimestampBounds } from './snapshots.ts';
import { toStoreError } from './status-code.ts';
import { transact } from './transact.ts';

export interface SpannerDatabase extends Database {
  /** The same database with other options for each call: a priority, a tag, commits that may wait. It is closed with the first. */
  withOptions(options: CallOptions): SpannerDatabase;
}

/** What all that talk over one connection have in common. */
interface Shared {
  readonly connection: Connection;
  readonly clock: () => Instant;
  readonly layoutFor: (table: Table<object>) => Layout;
  readonly snapshots: Snapshots;
  /** The emulator has one transaction that writes at a time, and makes others wait badly: here they wait in turn. */
  readonly inTurn: <Result>(task: () => Promise<Result>) => Promise<Result>;
  closed: boolean;
}

/** The tables on a connection. A time to be read that is far ahead of `clock` means the newest state. */
export function databaseOn(
  connection: Connection,
  tables: readonly Table<object>[],
  clock: () => Instant = () => Number.MAX_SAFE_INTEGER,
): SpannerDatabase {
  const layouts = new Map(tables.map((table) => [table.name, layoutOf(table)]));
  const layoutFor = (table: Table<object>): Layout => {
    const layout = layouts.get(table.name);
    if (layout === undefined)
      throw new StoreFailure(`${connection.name} was opened without the table ${table.name}`);
    return layout;
  };
  return withOptions(
    {
      connection,
      clock,
      layoutFor,
      snapshots: createSnapshots(connection, layoutFor),
      inTurn: connection.isEmulator ? serialQueue() : (task) => task(),
      closed: false,
    },
    {},
  );
}

function withOptions(shared: Shared, options: CallOptions): SpannerDatabase {
  checkCallOptions(options);
  const { connection, layoutFor, snapshots, inTurn } = shared;
  const strong = keyReads(singleReads(shared, options, { strong: true }), layoutFor);
  return {
    read: async <Row extends object>(table: Table<Row>, keys: readonly Key[], { at }: ReadOptions = {}) => {
      check(shared);
      const bounds = boundsOf(shared, at);
      if (bounds.strong === true) return strong(table, keys);
      return keyReads(singleReads(shared, options, bounds), layoutFor)(table, keys);
    },
    scan: (table, range, { at, ...by } = {}) =>
      scanState(shared, options, { table, range, by, bounds: boundsOf(shared, at) }),
    snapshot: async () => {
      check(shared);
      return snapshots.take(options);
    },
    transact: async (work) => {
      check(shared);
      return inTurn(async () => {
        check(shared);
        return transact({ connection, layoutFor, options }, work);
      });
    },
    withOptions: (others) => withOptions(shared, others),
    close: async () => {
      if (shared.closed) return;
      shared.closed = true;
      snapshots.close();
      await inTurn(() => connection.close());
    },
  };
}

function check({ closed, connection }: Shared): void {
  if (closed) throw new StoreFailure(`${connection.name} is closed`);
}

/** Spanner's clock and ours differ, by far less than this: a time of a commit may be one that has not come here. */
const CLOCK_SKEW_MICROS = 10 * MICROS_PER_SECOND;

/** Spanner would wait until a time has come. The newest state has every commit that was answered before it is asked for. */
const boundsOf = ({ clock }: Shared, at: Instant | undefined): TimestampBounds =>
  at === undefined || at >= clock() + CLOCK_SKEW_MICROS
    ? { strong: true }
    : { readTimestamp: protoTimeOf(at) };

/** Each request by itself: reads that need not agree with each other. */
function singleReads({ connection }: Shared, options: CallOptions, bounds: TimestampBounds): RowSource {
  return {
    open: async (request) => {
      const session = await connection.session();
      const snapshot = session.snapshot(bounds);
      const stream = openStream(snapshot, request, {
        requestOptions: readRequestOptions(options),
        patience: SCAN_PATIENCE,
      });
      // The pool does not use a session again that Spanner does not know any more.
      stream.once('error', (error) => Object.assign(session, { lastError: error }));
      const end = (): void => {
        snapshot.end();
        connection.release(session);
      };
      return { stream, end };
    },
    failure: (error) => toStoreError(error, connection.name),
  };
}

interface StateScan<Row extends object> {
  readonly table: Table<Row>;
  readonly range: KeyRange;
  readonly by: ScanBy;
  readonly bounds: TimestampBounds;
}

/** A scan of one state: what takes several requests has them in one read-only transaction. */
async function* scanState<Row extends object>(
  shared: Shared,
  options: CallOptions,
  { table, range, by, bounds }: StateScan<Row>,
): AsyncGenerator<Row, void> {
  check(shared);
  const layout = shared.layoutFor(table);
  const plan = planScan(layout, range, by);
  if (plan.requests.length < 2) {
    yield* scanPlanned(singleReads(shared, options, bounds), layout, plan) as AsyncGenerator<Row, void>;
    return;
  }
  const { source, end } = await openSnapshotSource(shared.connection, bounds, options);
  try {
    yield* scanPlanned(source, layout, plan) as AsyncGenerator<Row, void>;
  } finally {
    end();
  }
}
