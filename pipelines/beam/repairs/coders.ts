import type { Reader, Writer } from 'protobufjs';
import { expectInternal, replaceMethod } from '../sdk-moved.ts';
import { bson, coders, jsCoders, standardCoders, values } from '../sdk.ts';

type Integer = number | bigint;
type Context = string;
interface PatchableCoder<T> {
  encode(element: T, writer: Writer, context: Context): void;
  decode(reader: Reader, context: Context): T;
}
interface Int64Bits {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}
interface NumberCoder extends PatchableCoder<number> {
  readonly intCoder: PatchableCoder<Integer>;
  readonly doubleCoder: PatchableCoder<number>;
}

const DOUBLE_BYTES = 8;
const TWO_TO_32 = 2 ** 32;
const LOW_32 = 0xffff_ffffn;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

const bitsOf = (value: bigint): Int64Bits => ({
  low: Number(BigInt.asIntN(32, value & LOW_32)),
  high: Number(BigInt.asIntN(32, value >> 32n)),
  unsigned: false,
});

function encodeInt64(value: Integer, writer: Writer): void {
  if (typeof value === 'bigint') {
    if (value < INT64_MIN || value > INT64_MAX)
      throw new RangeError(`${value.toString()} does not fit an int64`);
    writer.int64(bitsOf(value));
  } else {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`);
    writer.int64(value);
  }
}

/** A number while that is exact, else a bigint. */
function decodeInt64(reader: Reader): Integer {
  // With the package `long` present, which the SDK depends on, protobufjs always gives the two halves.
  const { low, high } = reader.int64() as unknown as Int64Bits;
  const value = high * TWO_TO_32 + (low >>> 0);
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** The SDK writes int32 and cuts the upper half off without a word: 1.7e12 became -807049216, also in user counters. */
function repairVarInt(): void {
  const prototype = standardCoders.VarIntCoder.prototype as unknown as PatchableCoder<Integer>;
  replaceMethod(prototype, 'encode', 2, encodeInt64);
  replaceMethod(prototype, 'decode', 1, decodeInt64);
}

/** The SDK wrote NaN and the infinities as the integer 0, and large integers through int32. */
function repairNumber(): void {
  const coder = expectInternal(new jsCoders.GeneralObjectCoder().codersByType.number, 'codersByType.number');
  const prototype = Object.getPrototypeOf(coder) as NumberCoder;
  function encode(this: NumberCoder, value: number, writer: Writer, context: Context): void {
    const exact = Number.isSafeInteger(value) && !Object.is(value, -0);
    writer.string(exact ? 'i' : 'f');
    (exact ? this.intCoder : this.doubleCoder).encode(value, writer, context);
  }
  replaceMethod(prototype, 'encode', 3, encode);
}

/** The SDK copies the whole message to read each 8 bytes of it, so a message of n doubles took n² time. */
function repairDouble(): void {
  const prototype = standardCoders.DoubleCoder.prototype as unknown as PatchableCoder<number>;
  replaceMethod(prototype, 'decode', 1, (reader: Reader): number => {
    const { buf, pos, len } = reader;
    if (pos + DOUBLE_BYTES > len) throw new RangeError('a double is cut off at the end of the message');
    reader.pos += DOUBLE_BYTES;
    return new DataView(buf.buffer, buf.byteOffset + pos, DOUBLE_BYTES).getFloat64(0, false);
  });
}

/** Bytes in an element came back as a BSON `Binary`, not as the bytes they were: a DoFn then worked on one runner only. */
function repairObject(): void {
  const prototype = jsCoders.BsonObjectCoder.prototype as unknown as PatchableCoder<object>;
  replaceMethod(prototype, 'decode', 2, (reader: Reader) =>
    bson.deserialize(reader.bytes(), { promoteBuffers: true }),
  );
}

/** A class instance, a Map or bytes as the element itself came back as a plain object without a word: it is refused. */
function refuseInstances(): void {
  const prototype = jsCoders.GeneralObjectCoder.prototype as unknown as PatchableCoder<unknown>;
  const encode = replaceMethod(
    prototype,
    'encode',
    3,
    function (this: typeof prototype, element, writer, context) {
      if (typeof element === 'object' && element !== null && !Array.isArray(element)) {
        const parent: unknown = Object.getPrototypeOf(element);
        if (parent !== Object.prototype && parent !== null) {
          throw new TypeError(
            `an element must be plain data, not an instance of ${element.constructor.name}`,
          );
        }
      }
      encode.call(this, element, writer, context);
    },
  );
}

/** The SDK says LATE and not last for every pane of a bundle without triggers. */
function repairPane(): void {
  const pane = expectInternal(
    standardCoders.PaneInfoCoder.ONE_AND_ONLY_FIRING,
    'PaneInfoCoder.ONE_AND_ONLY_FIRING',
  );
  Object.assign(pane, {
    isFirst: true,
    isLast: true,
    index: 0,
    onTimeIndex: 0,
    timing: values.Timing.UNKNOWN,
  });
}

export function repairCoders(): void {
  expectInternal(coders.Context.needsDelimiters, 'coders.Context');
  repairVarInt();
  repairNumber();
  repairDouble();
  repairObject();
  refuseInstances();
  repairPane();
}
