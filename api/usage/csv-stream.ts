import type { Database } from '#infra/database/database.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { streamUsage, type ReadUsage, type UsageStream } from '#infra/usage/read-usage.ts';
import { taken, takePlace } from '../http/slow-reader.ts';
import { csvHeader, csvLines } from './csv.ts';

const ROWS_PER_CHUNK = 1_000;
export interface CsvStream extends Pick<UsageStream, 'freshness'> {
  readonly chunks: AsyncIterable<string>;
}

interface Stores {
  readonly database: Database;
  readonly scheduler: Scheduler;
}

/**
 * Begins to read an answer and gives it as chunks of CSV, of which the next is read when one is taken. The reading ends, and with it its
 * snapshot, when all is taken, when `signal` is aborted, when the iteration is ended or when it stalls. Throws what `streamUsage` throws
 * before its first row, and the problem `too_many_streams`.
 */
export async function openCsv(stores: Stores, request: ReadUsage, signal: AbortSignal): Promise<CsvStream> {
  const { database } = stores;
  const release = takePlace(database);
  const pipe = new TransformStream<string, string>(undefined, { highWaterMark: 1 }, { highWaterMark: 0 });
  const writer = pipe.writable.getWriter();
  const opened = Promise.withResolvers<UsageStream>();
  const stop = (): void => void writer.abort(signal.reason).catch(ignore);
  signal.addEventListener('abort', stop, { once: true });
  streamUsage(database, { ...request, signal }, async (stream) => {
    opened.resolve(stream);
    for await (const chunk of csvOf(stream)) await taken(stores.scheduler, writer.write(chunk));
  })
    .then(() => writer.close())
    .catch((error: unknown) => {
      opened.reject(error);
      return writer.abort(error);
    })
    .catch(ignore)
    .finally(() => {
      signal.removeEventListener('abort', stop);
      release();
    });
  const { freshness } = await opened.promise;
  return { freshness, chunks: pipe.readable };
}

/** What was aborted before cannot be aborted or closed again. */
const ignore = (): void => undefined;

async function* csvOf({ query, rows }: UsageStream): AsyncGenerator<string> {
  const shape = { bySubject: query.bySubject, dimensions: query.groupBy };
  let begun = csvHeader(shape);
  let batch = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < ROWS_PER_CHUNK) continue;
    yield begun + csvLines(shape, batch);
    begun = '';
    batch = [];
  }
  yield begun + csvLines(shape, batch);
}
