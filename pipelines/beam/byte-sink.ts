import { protobuf } from './sdk.ts';

/**
 * Where elements are written to on their way to the runner: one buffer that grows, without an object for each value as the SDK's own
 * writer makes them. It has the methods that the coders use of that one, and stands in its place.
 */
export interface ByteSink {
  /** Bytes written so far. */
  readonly len: number;
  /** The buffer, of which the first `len` bytes are written; it is another one after the next write. */
  readonly buffer: Buffer;
  /** Room for so many bytes; returns where they begin, and moves on behind them. */
  reserve(bytes: number): number;
  byte(value: number): void;
  /** A safe integer that is not negative, seven bits a byte, the lowest first. */
  varint(value: number): void;
  /** Bytes as they are, without their length. */
  raw(value: Uint8Array): void;
  /** A view of all that was written; the sink begins anew with a buffer of its own. */
  finish(): Buffer;
}

const INITIAL_BYTES = 1_024;
const VARINT_BYTES_MAX = 10;
const TWO_TO_31 = 0x8000_0000;

export const varintBytes = (value: number): number => {
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
};

type PushedBytes<T> = (value: T, buffer: Uint8Array, at: number) => void;

/** A class, since this is the innermost loop of a worker; also what the SDK's coders believe to be their writer. */
class GrowingSink implements ByteSink {
  buffer: Buffer;
  len = 0;
  /** Where the lengths go of what is being written with a length before it. */
  readonly #forks: number[] = [];

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafe(bytes);
  }

  reserve(bytes: number): number {
    const at = this.len;
    const needed = at + bytes;
    if (needed > this.buffer.length) this.#grow(needed);
    this.len = needed;
    return at;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, needed));
    this.buffer.copy(larger, 0, 0, this.len);
    this.buffer = larger;
  }

  byte(value: number): void {
    const at = this.reserve(1);
    this.buffer[at] = value;
  }

  varint(value: number): void {
    if (!(value >= 0)) throw new RangeError(`a varint is not negative: ${value}`);
    if (this.len + VARINT_BYTES_MAX > this.buffer.length) this.#grow(this.len + VARINT_BYTES_MAX);
    this.len = this.#putVarint(value, this.len);
  }

  #putVarint(value: number, at: number): number {
    const { buffer } = this;
    let rest = value;
    let to = at;
    for (; rest >= TWO_TO_31; rest = Math.floor(rest / 128)) buffer[to++] = (rest % 128) | 128;
    for (; rest > 127; rest >>>= 7) buffer[to++] = (rest & 127) | 128;
    buffer[to++] = rest;
    return to;
  }

  raw(value: Uint8Array): void {
    const at = this.reserve(value.length);
    this.buffer.set(value, at);
  }

  finish(): Buffer {
    const written = this.buffer.subarray(0, this.len);
    this.buffer = Buffer.allocUnsafe(INITIAL_BYTES);
    this.len = 0;
    return written;
  }

  // From here on: as the SDK's writer.

  uint32(value: number): this {
    this.varint(value >>> 0);
    return this;
  }

  int32(value: number): this {
    // A negative one takes ten bytes, as in every protobuf.
    return value < 0 ? this.int64(value) : this.uint32(value);
  }

  int64(value: number | { readonly low: number; readonly high: number }): this {
    if (typeof value === 'number' && value >= 0) {
      this.varint(value);
      return this;
    }
    const { lo, hi } = protobuf.util.LongBits.from(value as number);
    let [low, high] = [lo >>> 0, hi >>> 0];
    while (high !== 0) {
      this.byte((low & 127) | 128);
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.varint(low);
    return this;
  }

  fixed32(value: number): this {
    const at = this.reserve(4);
    this.buffer.writeUInt32LE(value >>> 0, at);
    return this;
  }

  bool(value: boolean): this {
    this.byte(value ? 1 : 0);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.varint(value.length);
    this.raw(value);
    return this;
  }

  string(value: string): this {
    const bytes = Buffer.byteLength(value);
    this.varint(bytes);
    const at = this.reserve(bytes);
    this.buffer.write(value, at, 'utf8');
    return this;
  }

  /** What is written from here to `ldelim` gets its length before it. */
  fork(): this {
    this.#forks.push(this.reserve(1));
    return this;
  }

  ldelim(): this {
    const at = this.#forks.pop();
    if (at === undefined) throw new Error('ldelim without fork');
    const length = this.len - at - 1;
    const more = varintBytes(length) - 1;
    if (more > 0) {
      this.reserve(more);
      this.buffer.copyWithin(at + 1 + more, at + 1, at + 1 + length);
    }
    this.#putVarint(length, at);
    return this;
  }

  _push<T>(write: PushedBytes<T>, bytes: number, value: T): this {
    const at = this.reserve(bytes);
    write(value, this.buffer, at);
    return this;
  }
}

/** `bytes`: what it has room for before it grows. */
export const createByteSink = (bytes = INITIAL_BYTES): ByteSink => new GrowingSink(bytes);
