/** Seven bits of a number go into a byte; the eighth says that more follow. */
const VARINT_BITS = 128;
/** Bytes that the largest safe integer takes. */
const VARINT_BYTES_MAX = 8;

/**
 * A set of ordinals in as few bytes as it takes: each as its distance from the one before. What was acknowledged together lies side by
 * side, so that an ordinal mostly takes one byte.
 */
export function packOrdinals(ordinals: Iterable<number>): Uint8Array {
  const sorted = [...new Set(ordinals)].sort((a, b) => a - b);
  const bytes: number[] = [];
  let before = 0;
  for (const ordinal of sorted) {
    if (!Number.isSafeInteger(ordinal) || ordinal < 0) throw new RangeError(`no ordinal: ${ordinal}`);
    pushVarint(bytes, ordinal - before);
    before = ordinal;
  }
  return Uint8Array.from(bytes);
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= VARINT_BITS; rest = Math.floor(rest / VARINT_BITS))
    bytes.push((rest % VARINT_BITS) + VARINT_BITS);
  bytes.push(rest);
}

/** The inverse of `packOrdinals`, in rising order. Throws a RangeError on bytes that it did not make. */
export function unpackOrdinals(bytes: Uint8Array): number[] {
  const ordinals: number[] = [];
  let before = 0;
  for (let at = 0; at < bytes.length;) {
    const [distance, next] = readVarint(bytes, at);
    before += distance;
    if (!Number.isSafeInteger(before)) throw new RangeError('an ordinal is too large');
    ordinals.push(before);
    at = next;
  }
  return ordinals;
}

function readVarint(bytes: Uint8Array, from: number): [value: number, next: number] {
  let value = 0;
  let scale = 1;
  for (let at = from; at < from + VARINT_BYTES_MAX; at++, scale *= VARINT_BITS) {
    const byte = bytes[at];
    if (byte === undefined) throw new RangeError('a set of ordinals is cut off');
    value += (byte % VARINT_BITS) * scale;
    if (byte < VARINT_BITS) return [value, at + 1];
  }
  throw new RangeError('an ordinal is too long');
}
