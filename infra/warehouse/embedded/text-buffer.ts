import { WarehouseLimitExceeded } from '../errors.ts';

/** One append is one segment is one buffer. */
export const SEGMENT_BYTES_MAX = 512 * 1024 * 1024;
const INITIAL_BYTES = 1024 * 1024;
/** A string of n UTF-16 code units takes at most this many bytes each. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** A growing run of bytes; `at` is where the next one goes. */
export interface TextBuffer {
  bytes: Buffer;
  at: number;
}

/** The memory begins on a word boundary: control characters are looked for a word at a time. */
export const createTextBuffer = (): TextBuffer => ({ bytes: Buffer.allocUnsafeSlow(INITIAL_BYTES), at: 0 });

/** Makes room for `count` more bytes. */
export function reserve(buffer: TextBuffer, count: number): void {
  const needed = buffer.at + count;
  if (needed <= buffer.bytes.length) return;
  if (needed > SEGMENT_BYTES_MAX) {
    throw new WarehouseLimitExceeded(`rows of more than ${SEGMENT_BYTES_MAX} bytes in one append`);
  }
  const larger = Buffer.allocUnsafeSlow(
    Math.min(SEGMENT_BYTES_MAX, Math.max(needed, 2 * buffer.bytes.length)),
  );
  buffer.bytes.copy(larger, 0, 0, buffer.at);
  buffer.bytes = larger;
}

/** Up to so many characters a loop beats a call, which first has to find out where the text lies that this one was cut from. */
const LOOP_CHARACTERS_MAX = 48;
const ASCII_MAX = 0x7f;

export function putText(buffer: TextBuffer, text: string): void {
  const { length } = text;
  reserve(buffer, length * UTF8_BYTES_PER_UNIT_MAX);
  const { bytes, at } = buffer;
  if (length <= LOOP_CHARACTERS_MAX) {
    let seen = 0;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      bytes[at + i] = code;
      seen |= code;
    }
    if (seen <= ASCII_MAX) {
      buffer.at = at + length;
      return;
    }
  }
  buffer.at += bytes.write(text, at, 'utf8');
}

/** Up to so many bytes a loop beats a call. */
const LOOP_BYTES_MAX = 32;

/** Text that is encoded already. */
export function putBytes(buffer: TextBuffer, text: Uint8Array): void {
  const { length } = text;
  reserve(buffer, length);
  const { bytes, at } = buffer;
  if (length > LOOP_BYTES_MAX) bytes.set(text, at);
  else for (let i = 0; i < length; i++) bytes[at + i] = text[i] as number;
  buffer.at = at + length;
}

export function putByte(buffer: TextBuffer, byte: number): void {
  reserve(buffer, 1);
  buffer.bytes[buffer.at++] = byte;
}

const BYTES_PER_WORD = 4;
const FIRST_PRINTABLE = 0x20;
const SPACES = 0x20202020;
const HIGH_BITS = 0x80808080;
const BYTE = 0xff;

/** How many of the first `end` bytes are control characters (below the space). */
export function countControlCharacters(bytes: Buffer, end: number): number {
  const wholeWords = Math.floor(end / BYTES_PER_WORD);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, wholeWords);
  let count = 0;
  for (let i = 0; i < wholeWords; i++) {
    const word = words[i] ?? 0;
    // Not zero as soon as one of the four bytes is below the space: most words are passed over with one test.
    if (((word - SPACES) & ~word & HIGH_BITS) !== 0) count += controlsIn(word);
  }
  for (let at = wholeWords * BYTES_PER_WORD; at < end; at++) {
    if ((bytes[at] ?? FIRST_PRINTABLE) < FIRST_PRINTABLE) count++;
  }
  return count;
}

/** How many of the four bytes of a word are control characters. */
function controlsIn(word: number): number {
  let count = (word & BYTE) < FIRST_PRINTABLE ? 1 : 0;
  if (((word >>> 8) & BYTE) < FIRST_PRINTABLE) count++;
  if (((word >>> 16) & BYTE) < FIRST_PRINTABLE) count++;
  return word >>> 24 < FIRST_PRINTABLE ? count + 1 : count;
}
