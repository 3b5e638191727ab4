/** Appends to one buffer that grows and is used again, page after page. */
export interface ByteWriter {
  byte(value: number): void;
  /** A whole number from 0 to 2^53 - 1, seven bits a byte. */
  varint(value: number): void;
  double(value: number): void;
  /** A whole number in `width` bytes, 1 to 6, the lowest first. */
  uint(value: number, width: number): void;
  bytes(value: Uint8Array): void;
  /** One byte a character; the characters must lie below 256. */
  latin1(value: string): void;
  /** The length in bytes, then UTF-8. */
  utf8(value: string): void;
  /** A copy of what was written; the writer starts afresh. */
  take(): Uint8Array;
}

const INITIAL_BYTES = 65_536;
const MAX_UTF8_PER_UNIT = 3;
const MAX_VARINT_BYTES = 8;
const SMALL = 0x80;
const LARGE = 2 ** 31;

export function createByteWriter(): ByteWriter {
  let buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  let length = 0;

  const room = (needed: number): void => {
    if (length + needed <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + needed));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  };

  const varint = (value: number): void => {
    room(MAX_VARINT_BYTES);
    let rest = value;
    while (rest >= LARGE) {
      buffer[length++] = (rest % SMALL) | SMALL;
      rest = Math.floor(rest / SMALL);
    }
    while (rest >= SMALL) {
      buffer[length++] = (rest & 0x7f) | SMALL;
      rest >>>= 7;
    }
    buffer[length++] = rest;
  };

  return {
    byte: (value) => {
      room(1);
      buffer[length++] = value;
    },
    varint,
    double: (value) => {
      room(8);
      length = buffer.writeDoubleLE(value, length);
    },
    uint: (value, width) => {
      room(width);
      length = buffer.writeUIntLE(value, length, width);
    },
    bytes: (value) => {
      room(value.length);
      buffer.set(value, length);
      length += value.length;
    },
    latin1: (value) => {
      room(value.length);
      length += buffer.write(value, length, 'latin1');
    },
    utf8: (value) => {
      varint(Buffer.byteLength(value));
      room(value.length * MAX_UTF8_PER_UNIT);
      length += buffer.write(value, length, 'utf8');
    },
    take: () => {
      const taken = new Uint8Array(buffer.subarray(0, length));
      length = 0;
      return taken;
    },
  };
}

/** Reads what a ByteWriter wrote, in the same order. */
export interface ByteReader {
  byte(): number;
  varint(): number;
  double(): number;
  uint(width: number): number;
  bytes(count: number): Uint8Array;
  skip(count: number): void;
  latin1(count: number): string;
  utf8(): string;
}

export function createByteReader(source: Uint8Array): ByteReader {
  const buffer = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  let at = 0;

  const advance = (count: number): number => {
    const from = at;
    at += count;
    if (at > buffer.length) throw new RangeError(`read past the end: ${at} of ${buffer.length} bytes`);
    return from;
  };

  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= SMALL) {
      const byte = buffer[advance(1)] as number;
      value += (byte & 0x7f) * scale;
      if (byte < SMALL) return value;
    }
  };

  return {
    byte: () => buffer[advance(1)] as number,
    varint,
    double: () => buffer.readDoubleLE(advance(8)),
    uint: (width) => buffer.readUIntLE(advance(width), width),
    bytes: (count) => new Uint8Array(buffer.subarray(advance(count), at)),
    skip: (count) => void advance(count),
    latin1: (count) => buffer.toString('latin1', advance(count), at),
    utf8: () => {
      const count = varint();
      return buffer.toString('utf8', advance(count), at);
    },
  };
}
