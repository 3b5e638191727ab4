import { HASH128_BYTES, type Hash128 } from './hash128.ts';
import type { Quantity } from './quantity.ts';

const INITIAL_BYTES = 4_096;
const SLAB_BYTES = 16_384;
const NOTHING = new Uint8Array(0);
/** Up to so many bytes a loop beats a call. */
const LOOP_BYTES_MAX = 96;

/** Writes the packed forms of cells into one buffer that is reused; `take` copies what was written since the last one. */
export interface ByteWriter {
  byte(value: number): void;
  /** A non-negative safe integer, seven bits a byte, the lowest first. */
  varint(value: number): void;
  hash(value: Hash128): void;
  quantity(value: Quantity): void;
  int32(value: number): void;
  /** A stretch of bytes as they are. */
  copy(bytes: Uint8Array, from: number, to: number): void;
  take(): Uint8Array;
}

/**
 * A class, since this is the innermost loop of the commit. A quantity is one header byte (bit 7 more follows, bit 6 negative,
 * bit 5 scaled, bits 0-4 the lowest five bits of the magnitude) and then the rest of the magnitude as a varint.
 */
class GrowingWriter implements ByteWriter {
  #buffer = new Uint8Array(INITIAL_BYTES);
  #length = 0;
  #slab = new Uint8Array(SLAB_BYTES);
  #slabUsed = 0;

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + bytes));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  varint(value: number): void {
    if (!(value >= 0)) this.#refuse(value);
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7fff_ffff) {
      this.#buffer[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  /** A negative count would be read back as another number. What was begun is dropped, since the buffer serves the next cell. */
  #refuse(value: number): never {
    this.#length = 0;
    throw new RangeError(`a packed cell holds no negative count: ${value}`);
  }

  hash(value: Hash128): void {
    this.#reserve(HASH128_BYTES);
    for (let i = 0; i < HASH128_BYTES; i++) this.#buffer[this.#length++] = value.charCodeAt(i);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#buffer[this.#length++] = value >>> 24;
    this.#buffer[this.#length++] = value >>> 16;
    this.#buffer[this.#length++] = value >>> 8;
    this.#buffer[this.#length++] = value;
  }

  quantity(value: Quantity): void {
    if (typeof value === 'bigint') {
      this.#scaledQuantity(value);
      return;
    }
    const magnitude = Math.abs(value);
    const rest = Math.floor(magnitude / 32);
    this.byte((rest > 0 ? 128 : 0) | (value < 0 ? 64 : 0) | (magnitude % 32));
    if (rest > 0) this.varint(rest);
  }

  #scaledQuantity(value: bigint): void {
    let magnitude = value < 0n ? -value : value;
    this.byte(128 | (value < 0n ? 64 : 0) | 32 | Number(magnitude & 31n));
    magnitude >>= 5n;
    while (magnitude > 127n) {
      this.byte(Number(magnitude & 127n) | 128);
      magnitude >>= 7n;
    }
    this.byte(Number(magnitude));
  }

  copy(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from);
    if (to - from > LOOP_BYTES_MAX) {
      this.#buffer.set(bytes.subarray(from, to), this.#length);
      this.#length += to - from;
    } else for (let i = from; i < to; i++) this.#buffer[this.#length++] = bytes[i] ?? 0;
  }

  /** Small pieces are cut from one slab, since a buffer of its own costs each cell more than all its bytes. */
  take(): Uint8Array {
    const length = this.#length;
    this.#length = 0;
    if (length === 0) return NOTHING;
    if (length > SLAB_BYTES / 4) return new Uint8Array(this.#buffer.subarray(0, length));
    if (this.#slabUsed + length > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#slabUsed = 0;
    }
    const piece = this.#slab.subarray(this.#slabUsed, this.#slabUsed + length);
    if (length > LOOP_BYTES_MAX) piece.set(this.#buffer.subarray(0, length));
    else for (let i = 0; i < length; i++) piece[i] = this.#buffer[i] ?? 0;
    this.#slabUsed += length;
    return piece;
  }
}

export const createByteWriter = (): ByteWriter => new GrowingWriter();
