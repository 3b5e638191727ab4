/** A growing run of bytes of protobuf messages; `at` is where the next one goes. */
export interface MessageBuffer {
  bytes: Buffer;
  at: number;
}

const INITIAL_BYTES = 64 * 1024;
/** A string of n UTF-16 code units takes at most this many bytes each. */
const UTF8_BYTES_PER_UNIT_MAX = 3;
/** A tag and a length, or a tag and a number. */
const HEAD_BYTES_MAX = 20;

export const createMessageBuffer = (): MessageBuffer => ({
  bytes: Buffer.allocUnsafeSlow(INITIAL_BYTES),
  at: 0,
});

function reserve(buffer: MessageBuffer, count: number): void {
  const needed = buffer.at + count;
  if (needed <= buffer.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * buffer.bytes.length));
  buffer.bytes.copy(larger, 0, 0, buffer.at);
  buffer.bytes = larger;
}

const WIRE_NUMBER = 0;
const WIRE_BYTES = 2;
const WIRE_BITS = 3;
const GROUP_BITS = 7;
const GROUP = 2 ** GROUP_BITS;

/** A whole number from 0 to 2^53 in groups of seven bits, the lowest first. */
function putVarint(buffer: MessageBuffer, value: number): void {
  let rest = value;
  while (rest >= GROUP) {
    const high = Math.floor(rest / GROUP);
    buffer.bytes[buffer.at++] = rest - high * GROUP + GROUP;
    rest = high;
  }
  buffer.bytes[buffer.at++] = rest;
}

const INT64_BITS = 64;

/** Below zero a number goes as its 64-bit two's complement, which is ten groups. */
function putNegativeVarint(buffer: MessageBuffer, value: number): void {
  let rest = BigInt.asUintN(INT64_BITS, BigInt(value));
  const group = BigInt(GROUP);
  while (rest >= group) {
    buffer.bytes[buffer.at++] = Number(rest % group) + GROUP;
    rest /= group;
  }
  buffer.bytes[buffer.at++] = Number(rest);
}

/** A safe integer as an `int64` field. */
export function putInteger(buffer: MessageBuffer, field: number, value: number): void {
  reserve(buffer, HEAD_BYTES_MAX);
  putVarint(buffer, (field << WIRE_BITS) | WIRE_NUMBER);
  if (value < 0) putNegativeVarint(buffer, value);
  else putVarint(buffer, value);
}

/** A text as a `string` field, also where it is empty: what is not put is null. */
export function putString(buffer: MessageBuffer, field: number, text: string): void {
  reserve(buffer, HEAD_BYTES_MAX + text.length * UTF8_BYTES_PER_UNIT_MAX);
  putVarint(buffer, (field << WIRE_BITS) | WIRE_BYTES);
  putVarint(buffer, Buffer.byteLength(text, 'utf8'));
  buffer.at += buffer.bytes.write(text, buffer.at, 'utf8');
}
