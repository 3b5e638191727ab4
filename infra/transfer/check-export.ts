import { createHash } from 'node:crypto';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { HORIZON_MICROS } from '#domain/limits.ts';
import { parseEvent } from '#domain/metering/parse-event.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { isEventLine, readEventLine } from './event-line.ts';
import { createEpochs, type Epoch } from './epochs.ts';
import {
  headerSchema,
  LINE_KINDS,
  lineError,
  noLines,
  readLine,
  readRecord,
  trailerSchema,
  TransferError,
  type Header,
  type LineCounts,
  type MeterLine,
} from './format.ts';
import { checkMeters } from './check-meters.ts';
import { readLines, textOf, type Line } from './read-lines.ts';

/** A file that is whole and can be imported, with what the import has to know of it. */
export interface CheckedExport {
  readonly path: string;
  readonly header: Header;
  readonly lines: LineCounts;
  readonly meters: readonly MeterLine[];
  /** Stretches of one catalogue, in order, also those without events. */
  readonly epochs: readonly Epoch[];
  /** Events older than the horizon. */
  readonly tooOld: number;
}

export interface CheckOptions {
  /** Where the events are to go. */
  readonly namespace: string;
  readonly now: Instant;
  readonly onProgress?: (bytes: number) => void;
}

const PROGRESS_LINES = 1_000;

/** Reads a file to its end. Throws `TransferError`, naming the line, for the first thing that is wrong with it. */
export async function checkExport(path: string, options: CheckOptions): Promise<CheckedExport> {
  const check = createCheck(options);
  for await (const line of readLines(path)) {
    check.take(line);
    if (line.number % PROGRESS_LINES === 0) options.onProgress?.(line.offset);
  }
  return { path, ...check.end() };
}

function createCheck({ namespace, now }: CheckOptions) {
  const lines = noLines();
  const digest = createHash('sha256');
  const meters: (MeterLine & { readonly line: number })[] = [];
  let header: Header | undefined;
  let epochs: ReturnType<typeof createEpochs> | undefined;
  let tooOld = 0;
  let ended = false;

  const takeEvent = (line: Line, text: string): void => {
    epochs ??= createEpochs(meters);
    const { event, catalogueVersion } = readImportedEvent({ namespace, line: line.number, text });
    lines.event++;
    epochs.add(catalogueVersion, line);
    if (isTooOld(event, now)) tooOld++;
  };

  const takeRecord = (line: Line, text: string): void => {
    const record = readRecord(line.number, text);
    if (epochs !== undefined) throw lineError(line.number, `a ${record.kind} comes before the events`);
    lines[record.kind]++;
    if (record.kind === 'meter') meters.push({ ...record, line: line.number });
  };

  const takeTrailer = (line: number, text: string): void => {
    const trailer = readLine(trailerSchema, line, text);
    const miscounted = LINE_KINDS.find((kind) => trailer.lines[kind] !== lines[kind]);
    if (miscounted !== undefined)
      throw lineError(
        line,
        `the file had ${trailer.lines[miscounted]} of ${miscounted}, now ${lines[miscounted]}`,
      );
    if (trailer.digest !== digest.digest('hex')) throw lineError(line, 'the file is not as it was written');
    ended = true;
  };

  return {
    take: (line: Line): void => {
      if (ended) throw lineError(line.number, 'comes after the end');
      const text = textOf(line);
      if (header === undefined) header = readLine(headerSchema, line.number, text);
      else if (isEventLine(text)) takeEvent(line, text);
      else if (text.startsWith('{"kind":"trailer"')) return takeTrailer(line.number, text);
      else takeRecord(line, text);
      digest.update(line.bytes).update('\n');
    },
    end: () => {
      if (header === undefined || !ended)
        throw new TransferError('the file is cut: its last line is missing');
      checkMeters(meters);
      return { header, lines, meters, epochs: (epochs ?? createEpochs(meters)).all(), tooOld };
    },
  };
}

/** An event of a file as it will be in its new namespace. */
export interface ImportedEvent {
  readonly event: UsageEvent;
  readonly publishedAt: Instant;
  readonly catalogueVersion: number;
  /** The CloudEvent as it is published. */
  readonly bytes: Uint8Array;
}

/** Throws `TransferError` for one that the pipeline would refuse, or that is not written as events are. */
export function readImportedEvent({
  namespace,
  line,
  text,
}: {
  readonly namespace: string;
  readonly line: number;
  readonly text: string;
}): ImportedEvent {
  const { event: said, publishedAt, catalogueVersion } = readEventLine(line, text);
  const bytes = Buffer.from(said);
  const { event, refusal } = parseEvent(namespace, { data: bytes, attributes: {}, publishTime: publishedAt });
  if (event === undefined) throw lineError(line, `${refusal.reason}: ${refusal.detail}`);
  return { event, publishedAt, catalogueVersion, bytes };
}

/** Judged by the clock of the import: from its commit on an event's row lasts longer than this, so no later import brings it again. */
export const isTooOld = ({ time }: UsageEvent, now: Instant): boolean => time < now - HORIZON_MICROS;

/** In words, for a file with such events. */
export const tooOldText = ({ tooOld, lines }: CheckedExport, now: Instant): string =>
  `${tooOld} of ${lines.event} events happened before ${formatInstant(now - HORIZON_MICROS)}, more than 45 days ago: too old to be imported`;
