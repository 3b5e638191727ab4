import type { ByteSink } from './byte-sink.ts';
import type { WireReader } from './wire-reader.ts';

/** What the texts of an element were written as; the first is half as long and holds all but few of them. */
const ASCII = 0;
const UTF16 = 1;
const UTF16_UNIT_BYTES = 2;

/**
 * Texts, or null, as one block behind their lengths: one call into the runtime for all of them costs less than one for each. Every string is
 * kept as it is, also one that is no valid Unicode.
 */
export function writeTexts(texts: readonly (string | null)[], to: ByteSink): void {
  to.varint(texts.length);
  for (const text of texts) to.varint(text === null ? 0 : text.length + 1);
  // Joining leaves nulls out.
  const block = texts.join('');
  const isAscii = Buffer.byteLength(block) === block.length;
  to.byte(isAscii ? ASCII : UTF16);
  const at = to.reserve(isAscii ? block.length : block.length * UTF16_UNIT_BYTES);
  to.buffer.write(block, at, isAscii ? 'latin1' : 'utf16le');
}

/** The inverse of writeTexts. Throws where there are not as many as `count`. */
export function readTexts(from: WireReader, count?: number): (string | null)[] {
  const found = from.varint();
  if (count !== undefined && found !== count) throw new RangeError(`${found} texts instead of ${count}`);
  const ends: number[] = [];
  let units = 0;
  for (let i = 0; i < found; i++) {
    const length = from.varint();
    if (length > 0) units += length - 1;
    ends.push(length === 0 ? -1 : units);
  }
  const block = from.byte() === ASCII ? from.latin1(units) : from.utf16(units);
  return textsOf(block, ends);
}

function textsOf(block: string, ends: readonly number[]): (string | null)[] {
  const texts: (string | null)[] = [];
  let at = 0;
  for (const end of ends) {
    texts.push(end < 0 ? null : block.slice(at, end));
    if (end >= 0) at = end;
  }
  return texts;
}
