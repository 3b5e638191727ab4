/**
 * The few kinds of protobuf fields that a schema needs, written by hand: a provider answers one message, and no generator is worth that.
 * Fields with default values are left out, as proto3 does.
 */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const CONTINUES = 0x80;
const SEVEN_BITS = 0x7f;

export type Field = Buffer;

export const message = (...fields: readonly Field[]): Buffer => Buffer.concat(fields);

export const textField = (number: number, value: string): Field => bytesField(number, Buffer.from(value));

export const bytesField = (number: number, value: Buffer): Field =>
  value.length === 0
    ? Buffer.alloc(0)
    : Buffer.concat([varint((number << 3) | LENGTH_DELIMITED), varint(value.length), value]);

/** A message that is there although all its fields have default values. */
export const messageField = (number: number, value: Buffer): Field =>
  Buffer.concat([varint((number << 3) | LENGTH_DELIMITED), varint(value.length), value]);

/** @param value a whole number from 0 up to 2^31 - 1, which lengths and enumerations here are. */
export const numberField = (number: number, value: number): Field =>
  value === 0 ? Buffer.alloc(0) : Buffer.concat([varint((number << 3) | VARINT), varint(value)]);

export const flagField = (number: number, value: boolean): Field => numberField(number, value ? 1 : 0);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > SEVEN_BITS) {
    bytes.push((rest & SEVEN_BITS) | CONTINUES);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}
