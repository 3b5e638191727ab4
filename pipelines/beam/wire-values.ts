import { HASH128_BYTES, type Hash128 } from '#domain/metering/hash128.ts';
import type { ByteSink } from './byte-sink.ts';
import type { WireReader } from './wire-reader.ts';

const SIGN = 1;

/** A safe integer: an instant, an hour, a day. */
export function writeInteger(value: number, to: ByteSink): void {
  to.byte(value < 0 ? SIGN : 0);
  to.varint(Math.abs(value));
}

/** The inverse of writeInteger. */
export function readInteger(from: WireReader): number {
  const isNegative = from.byte() === SIGN;
  const magnitude = from.varint();
  return isNegative ? -magnitude : magnitude;
}

/** Each of its 16 characters is a byte. */
export function writeHash(hash: Hash128, to: ByteSink): void {
  const at = to.reserve(HASH128_BYTES);
  to.buffer.write(hash, at, 'latin1');
}

/** The inverse of writeHash. */
export const readHash = (from: WireReader): Hash128 => from.latin1(HASH128_BYTES);

export function writeBytes(bytes: Uint8Array, to: ByteSink): void {
  to.varint(bytes.length);
  to.raw(bytes);
}

/** The inverse of writeBytes: a view of the message. */
export const readBytes = (from: WireReader): Buffer => from.raw(from.varint());
