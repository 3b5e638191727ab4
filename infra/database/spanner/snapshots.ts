import type { Session } from '@google-cloud/spanner';
import type { Instant } from '#domain/instant.ts';
import type { Snapshot } from '../database.ts';
import { StoreFailure } from '../errors.ts';
import { createSnapshotPlaces } from '#infra/database/snapshot-places.ts';
import type { Table } from '../table.ts';
import { readRequestOptions } from './call-options.ts';
import type { CallOptions } from './call-options.ts';
import type { Connection } from './connection.ts';
import type { Layout } from './layout.ts';
import { unaryPatience } from './patience.ts';
import type { StreamPatience } from './patience.ts';
import { instantOfProto } from './proto-time.ts';
import { keyReads, scansOf } from './row-source.ts';
import type { RowSource } from './row-source.ts';
import { openStream } from './row-stream.ts';
import { toStoreError } from './status-code.ts';

/** A snapshot costs Spanner nothing; its reader, which keeps rows in memory, does. */
export const SNAPSHOTS_MAX = 64;

/** A scan may go on for as long as Spanner keeps the versions that it reads. */
export const SCAN_PATIENCE: StreamPatience = { timeoutMs: 3_600_000, outageMs: 15_000 };
const BEGIN_TIMEOUT_MS = 15_000;

/** Which state is read. */
export type TimestampBounds = NonNullable<Parameters<Session['snapshot']>[0]>;

/** A read-only transaction: all its requests show one state. */
export async function openSnapshotSource(
  connection: Connection,
  bounds: TimestampBounds,
  options: CallOptions,
): Promise<SnapshotSource> {
  const session = await connection.session();
  const snapshot = session.snapshot(bounds);
  const end = (): void => {
    snapshot.end();
    connection.release(session);
  };
  try {
    await snapshot.begin(unaryPatience(BEGIN_TIMEOUT_MS));
    const source: RowSource = {
      open: async (request) => ({
        stream: openStream(snapshot, request, {
          requestOptions: readRequestOptions(options),
          patience: SCAN_PATIENCE,
        }),
        end: () => undefined,
      }),
      failure: (error) => toStoreError(error, connection.name),
    };
    return { source, at: instantOfProto(snapshot.readTimestampProto), end };
  } catch (error) {
    Object.assign(session, { lastError: error });
    end();
    throw toStoreError(error, connection.name);
  }
}

interface SnapshotSource {
  readonly source: RowSource;
  readonly at: Instant;
  readonly end: () => void;
}

export interface Snapshots {
  /** Waits its turn while as many as there may be are open. */
  take(options: CallOptions): Promise<Snapshot>;
  /** Those that wait are refused. */
  close(): void;
}

export function createSnapshots(
  connection: Connection,
  layoutFor: (table: Table<object>) => Layout,
): Snapshots {
  const places = createSnapshotPlaces(SNAPSHOTS_MAX);
  return {
    take: (options) => places.take((ended) => openSnapshot(connection, layoutFor, { options, ended })),
    close: places.close,
  };
}

async function openSnapshot(
  connection: Connection,
  layoutFor: (table: Table<object>) => Layout,
  { options, ended }: { readonly options: CallOptions; readonly ended: () => void },
): Promise<Snapshot> {
  const { source, at, end } = await openSnapshotSource(connection, { strong: true }, options);
  let closed = false;
  const whileOpen: RowSource = {
    ...source,
    open: async (request) => {
      if (closed) throw new StoreFailure('the snapshot is closed; nothing of it may be used any more');
      return source.open(request);
    },
  };
  return {
    at,
    read: keyReads(whileOpen, layoutFor),
    scan: scansOf(whileOpen, layoutFor),
    close: async () => {
      if (closed) return;
      closed = true;
      end();
      ended();
    },
  };
}
