/** Bytes under construction: a record with functions, since it is written for every row of the hot path. */
export interface ByteSink {
  bytes: Buffer<ArrayBuffer>;
  at: number;
}

export const createByteSink = (capacity: number): ByteSink => ({
  // A buffer of its own, so that it begins at a multiple of four.
  bytes: Buffer.from(new ArrayBuffer(capacity)),
  at: 0,
});

export function reserve(sink: ByteSink, count: number): void {
  if (sink.at + count <= sink.bytes.length) return;
  const larger = Buffer.from(new ArrayBuffer(Math.max(sink.bytes.length * 2, sink.at + count)));
  sink.bytes.copy(larger, 0, 0, sink.at);
  sink.bytes = larger;
}

export function putByte(sink: ByteSink, value: number): void {
  reserve(sink, 1);
  sink.bytes[sink.at++] = value;
}

const VARINT_BYTES_MAX = 8;
const INT32_LIMIT = 2 ** 31;

/** A whole number from 0 to 2^53 - 1, seven bits a byte, the lowest first. */
export function putVarint(sink: ByteSink, value: number): void {
  reserve(sink, VARINT_BYTES_MAX);
  const { bytes } = sink;
  let rest = value;
  while (rest >= INT32_LIMIT) {
    bytes[sink.at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    bytes[sink.at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[sink.at++] = rest;
}

/** Up to so many bytes a loop beats a call. */
const LOOP_BYTES_MAX = 48;

export function putBytes(sink: ByteSink, value: Uint8Array): void {
  const { length } = value;
  reserve(sink, length);
  if (length > LOOP_BYTES_MAX) sink.bytes.set(value, sink.at);
  else for (let i = 0; i < length; i++) sink.bytes[sink.at + i] = value[i] as number;
  sink.at += length;
}

const UTF8_BYTES_PER_UNIT_MAX = 3;

/** UTF-8 without its length; returns the bytes written. */
export function putUtf8(sink: ByteSink, value: string): number {
  reserve(sink, value.length * UTF8_BYTES_PER_UNIT_MAX);
  const written = sink.bytes.write(value, sink.at, 'utf8');
  sink.at += written;
  return written;
}
