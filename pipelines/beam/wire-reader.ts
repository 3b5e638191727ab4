/** Reads what a byte sink wrote. Running past the end throws. Strings and numbers are copies, bytes are views of the message they came in. */
export interface WireReader {
  readonly atEnd: boolean;
  byte(): number;
  varint(): number;
  /** A view: it is as long alive as the whole message is, and must not be written into. */
  raw(bytes: number): Buffer;
  /** So many bytes as characters 0 to 255. */
  latin1(bytes: number): string;
  /** So many UTF-16 code units, each in two bytes. */
  utf16(units: number): string;
}

const UTF16_UNIT_BYTES = 2;

/** A class, since this is the innermost loop of a worker. */
class BufferReader implements WireReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.#buffer = buffer;
    this.#at = at;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#at === this.#end;
  }

  #take(bytes: number): number {
    const at = this.#at;
    this.#at = at + bytes;
    if (this.#at > this.#end) throw new RangeError('an element ends too early');
    return at;
  }

  byte(): number {
    return this.#buffer[this.#take(1)] ?? 0;
  }

  varint(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      if (byte < 128) break;
      unit *= 128;
    }
    if (!Number.isSafeInteger(value)) throw new RangeError('a varint is no safe integer');
    return value;
  }

  raw(bytes: number): Buffer {
    const at = this.#take(bytes);
    return this.#buffer.subarray(at, at + bytes);
  }

  latin1(bytes: number): string {
    const at = this.#take(bytes);
    return this.#buffer.toString('latin1', at, at + bytes);
  }

  utf16(units: number): string {
    const bytes = units * UTF16_UNIT_BYTES;
    const at = this.#take(bytes);
    return this.#buffer.toString('utf16le', at, at + bytes);
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

export const createWireReader = (bytes: Uint8Array, from = 0, to = bytes.length): WireReader =>
  new BufferReader(asBuffer(bytes), from, to);
