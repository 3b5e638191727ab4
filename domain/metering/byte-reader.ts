import { HASH128_BYTES, type Hash128 } from './hash128.ts';
import { fromScaled, type Quantity } from './quantity.ts';

/** Reads what `ByteWriter` wrote. Running past the end throws: a stored cell is either whole or a defect. */
export interface ByteReader {
  readonly atEnd: boolean;
  /** The place of the next byte. */
  readonly at: number;
  byte(): number;
  varint(): number;
  hash(): Hash128;
  quantity(): Quantity;
  /** Signed, as limbs are held. */
  int32(): number;
  skip(bytes: number): void;
  /** Steps over a varint or a quantity: both end with the first byte below 128. */
  skipNumber(): void;
}

class ArrayReader implements ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get at(): number {
    return this.#at;
  }

  skip(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#bytes.length) throw new RangeError('packed cell ends too early');
  }

  skipNumber(): void {
    while (this.byte() > 127);
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new RangeError('packed cell ends too early');
    return value;
  }

  varint(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      if (byte < 128) return value;
      unit *= 128;
    }
  }

  hash(): Hash128 {
    let value = '';
    for (let i = 0; i < HASH128_BYTES; i++) value += String.fromCharCode(this.byte());
    return value;
  }

  int32(): number {
    return (this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte();
  }

  quantity(): Quantity {
    const header = this.byte();
    if (header & 32) return this.#scaledQuantity(header);
    const magnitude = (header & 31) + (header & 128 ? this.varint() * 32 : 0);
    return header & 64 ? -magnitude : magnitude;
  }

  #scaledQuantity(header: number): Quantity {
    let magnitude = BigInt(header & 31);
    let shift = 5n;
    for (;;) {
      const byte = this.byte();
      magnitude |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
      shift += 7n;
    }
    return fromScaled(header & 64 ? -magnitude : magnitude);
  }
}

export const createByteReader = (bytes: Uint8Array): ByteReader => new ArrayReader(bytes);
