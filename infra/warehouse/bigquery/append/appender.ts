import { MICROS_PER_MILLI } from '#domain/instant.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { RowRefused, WarehouseUnavailable } from '../../errors.ts';
import { createGate } from '../../gate.ts';
import type { WarehouseTable } from '../../tables.ts';
import { codeOf, isPassing } from '../failures.ts';
import {
  openAppendStream,
  type AppendAnswer,
  type AppendStream,
  type StreamTarget,
} from './append-stream.ts';
import { requestsOf, type AppendRequest } from './requests.ts';
import type { PutRow } from './row-message.ts';

/** Requests on their way at once; what comes beyond waits its turn. Each holds up to 9 MB. */
export const REQUESTS_AT_ONCE_MAX = 8;
/** BigQuery answers within a second or two; an answer that takes this long is lost. */
export const ANSWER_DEADLINE_MS = 30_000;
/** Together, with the waits between, some seconds: longer is for the caller to decide, who holds the events' messages. */
export const APPEND_ATTEMPTS_MAX = 6;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_LONGEST_MS = 5_000;

export interface AppenderOptions extends StreamTarget {
  readonly scheduler: Scheduler;
  /** From 0 to 1: spreads the tries of many processes that failed together. */
  readonly random: () => number;
}

/** Appends rows of one table over one connection, which is opened when it is needed and again after it broke. */
export interface Appender {
  /** Resolves once all rows are durable. Throws `RowRefused`, `WarehouseLimitExceeded`, `WarehouseUnavailable`. */
  append<Row>(put: PutRow<Row>, rows: readonly Row[]): Promise<void>;
  close(): Promise<void>;
}

export function createAppender(options: AppenderOptions): Appender {
  const { table, scheduler, random } = options;
  const gate = createGate(REQUESTS_AT_ONCE_MAX);
  let current: Promise<AppendStream> | undefined;

  async function attempt(request: AppendRequest): Promise<AppendAnswer> {
    const used = (current ??= openAppendStream(options));
    try {
      return await withDeadline(scheduler, async () => (await used).send(request));
    } catch (error) {
      await giveUp(used);
      throw error;
    }
  }

  /** The next attempt opens another one. Whoever waits on this one tries again as well. */
  async function giveUp(used: Promise<AppendStream>): Promise<void> {
    if (current === used) current = undefined;
    await used.then(
      (stream) => stream.close(),
      () => undefined,
    );
  }

  async function send(request: AppendRequest): Promise<void> {
    for (let failures = 1; ; failures++) {
      try {
        return accept(table, request, await attempt(request));
      } catch (error) {
        if (error instanceof RowRefused) throw error;
        if (failures >= APPEND_ATTEMPTS_MAX || gate.closed || !isPassing(error))
          throw unavailable(table, error);
      }
      await scheduler.sleep(random() * Math.min(BACKOFF_FIRST_MS * 2 ** failures, BACKOFF_LONGEST_MS));
    }
  }

  return {
    append: async (put, rows) => {
      const requests = requestsOf(table, put, rows);
      const sent = await Promise.allSettled(requests.map((request) => gate.enter(() => send(request))));
      const errors = sent.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
      // A refusal says what to do about it, so it goes first.
      const error = errors.find((each) => each instanceof RowRefused) ?? errors[0];
      if (error !== undefined) throw error;
    },
    close: async () => {
      await gate.close();
      if (current !== undefined) await giveUp(current);
    },
  };
}

/** An answer that names rows refuses them for good; one that names none is the table's or the service's trouble. */
function accept(
  table: WarehouseTable,
  { firstRow }: AppendRequest,
  { rowErrors, error }: AppendAnswer,
): void {
  const [refused] = rowErrors ?? [];
  if (refused !== undefined)
    throw new RowRefused(
      { table: table.name, rowIndex: firstRow + Number(refused.index ?? 0) },
      'rejected_by_store',
      refused.message ?? 'BigQuery gives no reason',
    );
  if (error != null) throw Object.assign(new Error(error.message ?? 'no message'), { code: error.code });
}

const unavailable = (table: WarehouseTable, error: unknown): WarehouseUnavailable => {
  const message = error instanceof Error ? error.message : String(error);
  return new WarehouseUnavailable(
    `rows of ${table.name} cannot be appended (${codeOf(error) ?? 'no code'}): ${message}`,
    {
      cause: error,
    },
  );
};

/** Rejects when the answer takes too long: it may still come, and is not waited for. */
async function withDeadline<Result>(scheduler: Scheduler, work: () => Promise<Result>): Promise<Result> {
  const done = new AbortController();
  const started = scheduler.now();
  const late = scheduler.sleep(ANSWER_DEADLINE_MS, done.signal).then(() => {
    throw new AnswerLost(`no answer for ${Math.round((scheduler.now() - started) / MICROS_PER_MILLI)} ms`);
  });
  // Once the work is done this promise rejects for nobody.
  late.catch(() => undefined);
  try {
    return await Promise.race([work(), late]);
  } finally {
    done.abort();
  }
}

/** Nobody knows whether the rows were taken. */
class AnswerLost extends Error {
  override readonly name = 'AnswerLost';
}
