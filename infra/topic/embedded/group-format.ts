import { crc32 } from 'node:zlib';
import type { Instant } from '#domain/instant.ts';
import { TopicCorrupt } from '../errors.ts';
import { MAX_PUBLISH_BYTES, MAX_PUBLISH_MESSAGES } from '../limits.ts';
import type { Attributes, OutgoingMessage } from '../topic.ts';

/*
 * A group is the unit of writing: a header, an entry of eight bytes for each message (where its data ends, which attributes it has),
 * the data, and the distinct attributes as a JSON array. Integers are little endian. The checksum covers all that follows it, so a
 * group that was cut short or never fully reached the disk is told from one that did.
 */
const MAGIC = 0x3147_524d;
const CHECKSUM_AT = 4;
const LENGTH_AT = 8;
const COUNT_AT = 12;
const ATTRIBUTES_LENGTH_AT = 16;
const WRITTEN_AT = 20;
export const GROUP_HEADER_BYTES = 28;
const ENTRY_BYTES = 8;
/** An entry's attributes number: 0 is none, n the n-th of the group's distinct attributes. */
const NO_ATTRIBUTES = 0;
export const EMPTY_ATTRIBUTES: Attributes = Object.freeze({});

/** JSON may need six bytes for one of the attribute's own (`\u0000`); this and the entries come on top of what a publish may hold. */
const JSON_EXPANSION = 6;
export const MAX_GROUP_BYTES =
  GROUP_HEADER_BYTES +
  MAX_PUBLISH_MESSAGES * (ENTRY_BYTES + JSON_EXPANSION) +
  MAX_PUBLISH_BYTES * JSON_EXPANSION;

export interface GroupHeader {
  readonly length: number;
  readonly count: number;
  /** The producer's clock before the write: a lower bound of the publish time, which is only taken at the registration. */
  readonly writtenAt: Instant;
}

/** A group in memory, its messages not yet cut out. */
export interface Group extends GroupHeader {
  readonly bytes: Buffer;
  /** The data of all its messages, one after the other. */
  readonly data: Uint8Array;
  readonly attributes: readonly Attributes[];
}

export function encodeGroup(batches: readonly (readonly OutgoingMessage[])[], writtenAt: Instant): Buffer {
  const numbering = numberAttributes(batches);
  let count = 0;
  let dataLength = 0;
  for (const batch of batches) {
    count += batch.length;
    for (const message of batch) dataLength += message.data.length;
  }
  const dataAt = GROUP_HEADER_BYTES + count * ENTRY_BYTES;
  const group = Buffer.allocUnsafe(dataAt + dataLength + numbering.json.length);
  writeMessages(group, dataAt, batches, numbering.numberOf);
  group.set(numbering.json, dataAt + dataLength);
  writeHeader(group, count, numbering.json.length, writtenAt);
  return group;
}

function writeMessages(
  group: Buffer,
  dataAt: number,
  batches: readonly (readonly OutgoingMessage[])[],
  numberOf: (attributes: Attributes | undefined) => number,
): void {
  let entry = GROUP_HEADER_BYTES;
  let end = dataAt;
  let numbered: Attributes | undefined;
  let number = NO_ATTRIBUTES;
  for (const batch of batches) {
    for (const { data, attributes } of batch) {
      group.set(data, end);
      end += data.length;
      if (attributes !== numbered) number = numberOf(attributes);
      numbered = attributes;
      group.writeUInt32LE(end - dataAt, entry);
      group.writeUInt32LE(number, entry + 4);
      entry += ENTRY_BYTES;
    }
  }
}

function writeHeader(group: Buffer, count: number, attributesLength: number, writtenAt: Instant): void {
  group.writeUInt32LE(MAGIC, 0);
  group.writeUInt32LE(group.length, LENGTH_AT);
  group.writeUInt32LE(count, COUNT_AT);
  group.writeUInt32LE(attributesLength, ATTRIBUTES_LENGTH_AT);
  group.writeDoubleLE(writtenAt, WRITTEN_AT);
  group.writeUInt32LE(crc32(group.subarray(LENGTH_AT)), CHECKSUM_AT);
}

/** Numbers the distinct attributes of a group; objects that are the same object are compared without looking inside. */
function numberAttributes(batches: readonly (readonly OutgoingMessage[])[]): {
  json: Buffer;
  numberOf: (attributes: Attributes | undefined) => number;
} {
  const byObject = new Map<Attributes | undefined, number>([[undefined, NO_ATTRIBUTES]]);
  const byText = new Map<string, number>([['{}', NO_ATTRIBUTES]]);
  let latest: Attributes | undefined;
  for (const batch of batches) {
    for (const { attributes } of batch) {
      // Messages published together mostly share one attributes object.
      if (attributes === latest) continue;
      latest = attributes;
      if (byObject.has(attributes)) continue;
      const text = JSON.stringify(attributes);
      const known = byText.get(text);
      const number = known ?? byText.size;
      if (known === undefined) byText.set(text, number);
      byObject.set(attributes, number);
    }
  }
  const texts = Array.from(byText.keys()).slice(1);
  const json = texts.length === 0 ? Buffer.alloc(0) : Buffer.from(`[${texts.join(',')}]`);
  return { json, numberOf: (attributes) => byObject.get(attributes) ?? NO_ATTRIBUTES };
}

/** The header at the beginning of `bytes`, or undefined if none can be there. It is only to be trusted once the checksum holds. */
export function decodeHeader(bytes: Buffer): GroupHeader | undefined {
  if (bytes.length < GROUP_HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const length = bytes.readUInt32LE(LENGTH_AT);
  const count = bytes.readUInt32LE(COUNT_AT);
  if (length > MAX_GROUP_BYTES || count === 0 || length < GROUP_HEADER_BYTES + count * ENTRY_BYTES)
    return undefined;
  return { length, count, writtenAt: bytes.readDoubleLE(WRITTEN_AT) };
}

/** `bytes` is one whole group; throws `TopicCorrupt` if it is not as it was written. */
export function decodeGroup(bytes: Buffer): Group {
  const header = decodeHeader(bytes);
  if (header?.length !== bytes.length) throw new TopicCorrupt('no group of the expected length');
  if (crc32(bytes.subarray(LENGTH_AT)) !== bytes.readUInt32LE(CHECKSUM_AT))
    throw new TopicCorrupt('wrong checksum');
  const attributesLength = bytes.readUInt32LE(ATTRIBUTES_LENGTH_AT);
  const json = attributesLength === 0 ? '[]' : bytes.toString('utf8', bytes.length - attributesLength);
  const attributes = (JSON.parse(json) as Attributes[]).map((distinct) => Object.freeze(distinct));
  const data = bytes.subarray(
    GROUP_HEADER_BYTES + header.count * ENTRY_BYTES,
    bytes.length - attributesLength,
  );
  return { ...header, bytes, data, attributes };
}

/** The message's data, a part of the group's memory and not a copy. */
export function dataOf({ bytes, data }: Group, index: number): Uint8Array {
  const entry = GROUP_HEADER_BYTES + index * ENTRY_BYTES;
  const begin = index === 0 ? 0 : bytes.readUInt32LE(entry - ENTRY_BYTES);
  // A buffer would take twice as long to make.
  return new Uint8Array(data.buffer, data.byteOffset + begin, bytes.readUInt32LE(entry) - begin);
}

export function attributesOf(group: Group, index: number): Attributes {
  if (group.attributes.length === 0) return EMPTY_ATTRIBUTES;
  const number = group.bytes.readUInt32LE(GROUP_HEADER_BYTES + index * ENTRY_BYTES + 4);
  return number === NO_ATTRIBUTES ? EMPTY_ATTRIBUTES : (group.attributes[number - 1] ?? EMPTY_ATTRIBUTES);
}
