import { createHash } from 'node:crypto';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { readFreshness } from '#infra/usage/watermark.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { writeEventLine } from './event-line.ts';
import { readEventRanges, type EventRange } from './event-ranges.ts';
import { exportRecords } from './export-records.ts';
import { FORMAT_NAME, FORMAT_VERSION, noLines, type LineCounts } from './format.ts';
import { createSentTimes } from './sent-time.ts';

export interface ExportOptions {
  readonly database: Database;
  readonly warehouse: Pick<Warehouse, 'query'>;
  readonly namespace: string;
  readonly now: Instant;
  /** How many of the events are written, now and then. */
  readonly onProgress?: (written: number, total: number) => void;
}

/** What one question to the warehouse answers at most: its memory and its sorting are bounded by it. */
const EVENTS_PER_QUESTION = 50_000;
/** Lines handed over at once. */
const CHUNK_CHARACTERS = 64 * 1_024;

/**
 * A namespace as text, a portion at a time: its catalogue and customers as of one moment, then every event that counts, by time. Events that
 * are committed meanwhile may be in it or not; all that were published before the header's `asOf` are. Returns what was written.
 */
export async function* exportNamespace(
  options: ExportOptions,
): AsyncGenerator<string, LineCounts, undefined> {
  const lines = noLines();
  const digest = createHash('sha256');
  let chunk = '';
  const take = (): string => {
    const taken = chunk;
    digest.update(taken);
    chunk = '';
    return taken;
  };
  chunk += `${JSON.stringify(await headerOf(options))}\n`;
  for await (const record of exportRecords(options)) {
    lines[record.kind]++;
    chunk += `${JSON.stringify(record)}\n`;
    if (chunk.length > CHUNK_CHARACTERS) yield take();
  }
  for await (const line of eventLines(options)) {
    lines.event++;
    chunk += `${line}\n`;
    if (chunk.length > CHUNK_CHARACTERS) yield take();
  }
  yield take();
  yield `${JSON.stringify({ kind: 'trailer', lines, digest: digest.digest('hex') })}\n`;
  return lines;
}

/** The watermark first: what was published before it is in the warehouse when that is asked. */
async function headerOf({ database, namespace, now }: ExportOptions): Promise<object> {
  const freshness = await readFreshness(database, namespace);
  return {
    kind: 'header',
    format: FORMAT_NAME,
    version: FORMAT_VERSION,
    namespace,
    exportedAt: formatInstant(now),
    asOf: freshness === undefined ? null : formatInstant(freshness.asOf),
  };
}

async function* eventLines({
  warehouse,
  namespace,
  now,
  onProgress,
}: ExportOptions): AsyncGenerator<string, void, undefined> {
  const ranges = await readEventRanges(warehouse, { namespace, now, eventsMax: EVENTS_PER_QUESTION });
  const total = ranges.reduce((sum, { events }) => sum + events, 0);
  const sentTimeOf = createSentTimes();
  let written = 0;
  for (const range of ranges) {
    for await (const row of eventsIn(warehouse, namespace, range)) {
      yield writeEventLine(row, sentTimeOf);
      if (++written % PROGRESS_EVENTS === 0) onProgress?.(written, total);
    }
  }
  onProgress?.(written, total);
}

const PROGRESS_EVENTS = 1_000;

/** The exact events of a range, page by page. */
async function* eventsIn(
  warehouse: Pick<Warehouse, 'query'>,
  namespace: string,
  { from, to }: EventRange,
): AsyncGenerator<WarehouseRow, void, undefined> {
  const range = { namespace, from: formatInstant(from), to: formatInstant(to), limit: EVENTS_PER_QUESTION };
  for (let after = {}; ;) {
    let rows = 0;
    let last: WarehouseRow = {};
    for await (const row of warehouse.query('events_exact', { ...range, ...after })) {
      rows++;
      last = row;
      yield row;
    }
    if (rows < EVENTS_PER_QUESTION) return;
    after = { afterTime: last['time'] ?? null, afterIdentity: last['identity'] ?? null };
  }
}
