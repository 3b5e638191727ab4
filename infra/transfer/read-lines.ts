import { createReadStream } from 'node:fs';
import { lineError } from './format.ts';

/** A line of a file, without its line feed. */
export interface Line {
  /** From 1 on. */
  readonly number: number;
  /** Where it begins in the file. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Where to begin: a line and its place in the file. */
export type LinePlace = Pick<Line, 'number' | 'offset'>;

const FIRST: LinePlace = { number: 1, offset: 0 };
/** More than any line of ours: an event has at most a message's bytes, and most of a record's are bounded by its limits. */
export const LINE_BYTES_MAX = 4 * 1_024 * 1_024;
const LINE_FEED = 10;

/** The lines of a file from a place on, read as they are asked for. A last line without its line feed is one as well. Throws `TransferError`. */
export async function* readLines(
  path: string,
  from: LinePlace = FIRST,
): AsyncGenerator<Line, void, undefined> {
  let { number, offset } = from;
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of createReadStream(path, { start: offset }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      yield { number, offset, bytes: bytes.subarray(start, end) };
      number++;
      offset += end + 1 - start;
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LINE_BYTES_MAX) throw lineError(number, `is longer than ${LINE_BYTES_MAX} bytes`);
  }
  if (rest.length > 0) yield { number, offset, bytes: rest };
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws `TransferError` where the bytes are no UTF-8. */
export function textOf({ number, bytes }: Line): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw lineError(number, 'is no UTF-8');
  }
}
