import type { Transaction as Client } from '@google-cloud/spanner';
import type { Instant } from '#domain/instant.ts';
import type { Transaction } from '../database.ts';
import { StoreFailure } from '../errors.ts';
import type { Table } from '../table.ts';
import { commitRequestOptions, readRequestOptions, transactionTagOf } from './call-options.ts';
import type { CallOptions } from './call-options.ts';
import type { Connection } from './connection.ts';
import type { StoredRow } from '#infra/database/field.ts';
import type { Layout } from './layout.ts';
import { instantOfProto } from './proto-time.ts';
import { unaryPatience } from './patience.ts';
import type { StreamPatience } from './patience.ts';
import { keyReads, scansOf } from './row-source.ts';
import type { OpenedStream, RowSource } from './row-source.ts';
import { openStream } from './row-stream.ts';
import type { RowRequest } from './row-stream.ts';
import { isAborted, isAbortedRead, isMalformed, toCommitError, toStoreError } from './status-code.ts';
import { toMutations, updateOfDeleted } from './writes.ts';
import type { Write } from './writes.ts';

/** No read of a transaction takes as long; one that does holds locks for nothing. */
const READ_PATIENCE: StreamPatience = { timeoutMs: 60_000, outageMs: 15_000 };
const BEGIN_TIMEOUT_MS = 15_000;
/** A commit is sent again until then, which Spanner knows for the same commit; afterwards its outcome is unknown. */
const COMMIT_TIMEOUT_MS = 30_000;
const ROLLBACK_TIMEOUT_MS = 5_000;

/** What a read of an aborted run throws into the work; whatever the work makes of it, it is run again. */
export class Aborted extends Error {
  constructor(cause: unknown) {
    super('the transaction was aborted and will be run again', { cause });
    this.name = 'Aborted';
  }
}

/** One run of the work of a transaction. */
export interface Run {
  readonly transaction: Transaction;
  /** Of the transaction at Spanner, which the next run of the same work names to keep its place. */
  id(): Client['id'];
  isAborted(): boolean;
  /** From here on the transaction answers nothing more. */
  end(): void;
  /** Throws `Aborted` where nothing was committed and the work has to run again. */
  commit(): Promise<Instant>;
  /** Gives its locks back; never fails. */
  giveUp(): Promise<void>;
}

export interface RunOptions {
  readonly connection: Connection;
  readonly layoutFor: (table: Table<object>) => Layout;
  readonly options: CallOptions;
  /** Of the run before. */
  readonly after: Client['id'];
}

export async function startRun({ connection, layoutFor, options, after }: RunOptions): Promise<Run> {
  const session = await connection.session();
  const client = session.transaction(undefined, transactionTagOf(options));
  const end = (): void => {
    client.end();
    connection.release(session);
  };
  if (after !== undefined) client.multiplexedSessionPreviousTransactionId = after;
  const state = { aborted: false, over: false };
  const writes: Write[] = [];
  const check = (): void => {
    if (state.over) throw new StoreFailure('the transaction is over; nothing of it may be used any more');
  };
  const source = transactionSource(client, options, {
    check,
    failure: (error) => {
      if (!isAbortedRead(error)) return toStoreError(error, connection.name);
      state.aborted = true;
      return new Aborted(error);
    },
  });
  const buffer = (write: Write): void => {
    check();
    writes.push(write);
  };
  return {
    transaction: {
      read: keyReads(source, layoutFor),
      scan: scansOf(source, layoutFor),
      insert: (table, row) => buffer({ kind: 'insert', layout: layoutFor(table), row: row as StoredRow }),
      update: (table, row) => buffer({ kind: 'update', layout: layoutFor(table), row: row }),
      upsert: (table, row) => buffer({ kind: 'upsert', layout: layoutFor(table), row: row as StoredRow }),
      delete: (table, key) => buffer({ kind: 'delete', layout: layoutFor(table), key }),
    },
    id: () => client.id,
    isAborted: () => state.aborted,
    end: () => {
      state.over = true;
    },
    commit: async () => {
      const committedAt = await commit(client, { connection, options, writes });
      end();
      return committedAt;
    },
    giveUp: async () => {
      state.over = true;
      // A commit has ended it, whatever its answer; and what was aborted holds nothing.
      if (!client.ended && !state.aborted)
        await client.rollback(unaryPatience(ROLLBACK_TIMEOUT_MS)).catch(() => undefined);
      end();
    },
  };
}

/**
 * The first request of a transaction begins it, so that this costs no round trip; those that are started beside it wait until it has.
 */
function transactionSource(
  client: Client,
  options: CallOptions,
  { check, failure }: { readonly check: () => void; readonly failure: RowSource['failure'] },
): RowSource {
  let begun: Promise<unknown> | undefined;
  const open = (request: RowRequest): OpenedStream => ({
    stream: openStream(client, request, {
      requestOptions: readRequestOptions(options),
      patience: READ_PATIENCE,
    }),
    end: () => undefined,
  });
  return {
    open: async (request) => {
      check();
      if (begun === undefined) {
        const first = open(request);
        begun = new Promise((resolve) => {
          for (const event of ['response', 'error', 'close']) first.stream.once(event, resolve);
        });
        return first;
      }
      await begun;
      check();
      if (client.id === undefined) throw new StoreFailure('the transaction could not be begun');
      return open(request);
    },
    failure,
  };
}

async function commit(
  client: Client,
  { connection, options, writes }: Pick<RunOptions, 'connection' | 'options'> & { writes: readonly Write[] },
): Promise<Instant> {
  client.setQueuedMutations(toMutations(writes));
  try {
    // A commit without a transaction of its own could be applied twice.
    if (client.id === undefined) await client.begin(unaryPatience(BEGIN_TIMEOUT_MS));
  } catch (error) {
    throw isAborted(error) ? new Aborted(error) : toStoreError(error, connection.name);
  }
  try {
    await client.commit({
      ...commitRequestOptions(options),
      gaxOptions: unaryPatience(options.commitTimeoutMs ?? COMMIT_TIMEOUT_MS),
    });
  } catch (error) {
    if (isAborted(error)) throw new Aborted(error);
    const misordered = isMalformed(error) ? updateOfDeleted(writes) : undefined;
    if (misordered !== undefined) throw misordered;
    throw toCommitError(error, connection.name);
  }
  return instantOfProto(client.commitTimestampProto);
}
