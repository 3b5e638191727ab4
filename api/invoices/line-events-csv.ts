import { stringify } from 'csv-stringify/sync';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { plainCell } from '#infra/documents/plain-cell.ts';
import type { LineEvent } from '#infra/invoicing/proof/line-events.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { taken, takePlace } from '../http/slow-reader.ts';

const ROWS_PER_CHUNK = 1_000;

interface CsvEvents {
  /** The names of the meter's dimensions. */
  readonly dimensions: readonly string[];
  readonly events: AsyncIterable<LineEvent>;
}

/**
 * Events as chunks of CSV, of which the next is read when one is taken. The reading ends when all is taken, when `signal` is aborted, when the iteration
 * is ended, or when nobody takes anything for too long. Throws the problem `too_many_streams`.
 */
export function openEventsCsv(
  { warehouse, scheduler }: { readonly warehouse: object; readonly scheduler: Scheduler },
  asked: CsvEvents,
  signal: AbortSignal,
): AsyncIterable<string> {
  const release = takePlace(warehouse);
  const pipe = new TransformStream<string, string>(undefined, { highWaterMark: 1 }, { highWaterMark: 0 });
  const writer = pipe.writable.getWriter();
  const stop = (): void => void writer.abort(signal.reason).catch(ignore);
  signal.addEventListener('abort', stop, { once: true });
  const write = async (): Promise<void> => {
    for await (const chunk of csvOf(asked)) await taken(scheduler, writer.write(chunk));
    await writer.close();
  };
  write()
    .catch((error: unknown) => writer.abort(error))
    .catch(ignore)
    .finally(() => {
      signal.removeEventListener('abort', stop);
      release();
    });
  return pipe.readable;
}

/** What was aborted before cannot be aborted or closed again. */
const ignore = (): void => undefined;

/** Dimensions stand last: whatever they are called, the other columns keep their places. */
async function* csvOf({ dimensions, events }: CsvEvents): AsyncGenerator<string> {
  let lines: string[][] = [
    ['time', 'identity', 'digest', 'source', 'id', 'subject', 'value', ...dimensions.map(plainCell)],
  ];
  for await (const event of events) {
    lines.push(lineOf(event, dimensions));
    if (lines.length < ROWS_PER_CHUNK) continue;
    yield stringify(lines);
    lines = [];
  }
  yield stringify(lines);
}

const lineOf = (event: LineEvent, dimensions: readonly string[]): string[] => [
  formatInstant(event.time),
  event.identity,
  event.digest,
  plainCell(event.source),
  plainCell(event.id),
  plainCell(event.subject),
  event.value,
  ...dimensions.map((name) => plainCell(event.dimensions?.[name] ?? '')),
];
