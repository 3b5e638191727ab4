import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { event as eventTable, type Row } from '#infra/usage/tables.ts';
import { isTooOld, readImportedEvent, type CheckedExport, type ImportedEvent } from './check-export.ts';
import { catalogueChanges, epochIndex, type Epoch } from './epochs.ts';
import { isEventLine } from './event-line.ts';
import { readLines, textOf } from './read-lines.ts';

/** An event of a file and the row that its new namespace has of it by now. */
export interface FoundEvent extends ImportedEvent {
  readonly line: number;
  readonly row: Row<typeof eventTable> | undefined;
}

export interface EventSource {
  readonly database: Pick<Database, 'read'>;
  readonly file: CheckedExport;
  readonly namespace: string;
  /** The clock of the import, by which events are too old. */
  readonly now: Instant;
}

/** Together they fit into one call of `publish`, and into memory. */
const BATCH_EVENTS = 1_000;
const BATCH_BYTES = 4 * 1_024 * 1_024;

/** The events of one epoch that are not too old, some at a time, each with its row. */
export async function* eventsOfEpoch(
  source: EventSource,
  epoch: Epoch,
): AsyncGenerator<FoundEvent[], void, undefined> {
  const { file, namespace, now } = source;
  if (epoch.first === undefined) return;
  const changes = catalogueChanges(file.meters);
  let batch: (ImportedEvent & { readonly line: number })[] = [];
  let bytes = 0;
  for await (const line of readLines(file.path, epoch.first)) {
    if (line.number > epoch.lastLine) break;
    const text = textOf(line);
    if (!isEventLine(text)) continue;
    const imported = readImportedEvent({ namespace, line: line.number, text });
    if (changes[epochIndex(changes, imported.catalogueVersion)] !== epoch.since) continue;
    if (isTooOld(imported.event, now)) continue;
    batch.push({ ...imported, line: line.number });
    bytes += imported.bytes.length;
    if (batch.length < BATCH_EVENTS && bytes < BATCH_BYTES) continue;
    yield await withRows(source, batch);
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield await withRows(source, batch);
}

async function withRows(
  { database }: EventSource,
  batch: readonly (ImportedEvent & { readonly line: number })[],
): Promise<FoundEvent[]> {
  const rows = await database.read(
    eventTable,
    batch.map(({ event }) => [event.identity]),
  );
  return batch.map((imported, place) => ({ ...imported, row: rows[place] }));
}
