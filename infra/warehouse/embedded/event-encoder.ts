import type { Instant } from '#domain/instant.ts';
import { HASH128_BYTES, type Hash128 } from '#domain/metering/hash128.ts';
import { RowRefused, type RefusedValueReason } from '../errors.ts';
import { OUTCOMES, toWarehouseRow, type EventRow } from '../event-row.ts';
import { EVENTS } from '../tables.ts';
import { putByte, putBytes, putText, reserve, type TextBuffer } from './text-buffer.ts';
import { DELIMITER, LINE_END, NULL_MARK, type RowEncoder, type Written } from './text-format.ts';

/*
 * The hot path: a row costs well below a microsecond because its strings are encoded where they go, its hashes are written digit by
 * digit without a string between, and what neighbouring rows share (commit time, meters) is formatted once.
 */

/** The two hex digits of each byte, one after the other. */
const HEX_OF_BYTE = Buffer.from(
  Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''),
  'latin1',
);
const DELIMITER_CODE = DELIMITER.charCodeAt(0);
const BYTE_VALUES = 256;

/** Writes 32 hex digits and a delimiter; false if it is no hash. */
function putHash({ bytes }: TextBuffer, start: number, hash: Hash128): boolean {
  let at = start;
  let seen = 0;
  for (let i = 0; i < HASH128_BYTES; i++) {
    const byte = hash.charCodeAt(i);
    seen |= byte;
    bytes[at++] = HEX_OF_BYTE[2 * byte] ?? 0;
    bytes[at++] = HEX_OF_BYTE[2 * byte + 1] ?? 0;
  }
  bytes[at] = DELIMITER_CODE;
  return hash.length === HASH128_BYTES && seen < BYTE_VALUES;
}

const HASH_FIELD_BYTES = 2 * HASH128_BYTES + 1;

/** Three digits each, since splitting a number beats formatting sixteen digits at once. */
const THOUSAND = 1_000;
const THREE_DIGITS = Array.from({ length: THOUSAND }, (_, value) => String(value).padStart(3, '0'));
const LAST_DIGITS = 1_000_000_000;
const LAST_DIGITS_COUNT = 9;

const INSTANT_BYTES_MAX = 20;
const ZERO = 0x30;

/** The digits of a microsecond count of our time straight into the buffer: sixteen digits, of which no number is formatted. */
function putInstant(buffer: TextBuffer, at: Instant): void {
  if (at < LAST_DIGITS) {
    putText(buffer, instantText(at));
    return;
  }
  reserve(buffer, INSTANT_BYTES_MAX);
  const high = Math.floor(at / LAST_DIGITS);
  putDigits(buffer, high, digitsOf(high));
  putDigits(buffer, at - high * LAST_DIGITS, LAST_DIGITS_COUNT);
}

/** Exactly so many digits of a whole number below 2^31, the last one first. */
function putDigits(buffer: TextBuffer, value: number, digits: number): void {
  const { bytes, at } = buffer;
  let rest = value | 0;
  for (let place = at + digits - 1; place >= at; place--) {
    const tens = (rest / 10) | 0;
    bytes[place] = ZERO + rest - tens * 10;
    rest = tens;
  }
  buffer.at = at + digits;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

function instantText(at: Instant): string {
  if (at < LAST_DIGITS) return String(at);
  const high = Math.floor(at / LAST_DIGITS);
  const low = at - high * LAST_DIGITS;
  const middle = Math.floor(low / THOUSAND);
  const top = Math.floor(middle / THOUSAND);
  return `${high}${THREE_DIGITS[top] ?? ''}${THREE_DIGITS[middle - top * THOUSAND] ?? ''}${THREE_DIGITS[low - middle * THOUSAND] ?? ''}`;
}

const knownOutcomes: ReadonlySet<string> = new Set(OUTCOMES);

const refuse = (written: Written, column: string, reason: RefusedValueReason, detail: string): never => {
  throw new RowRefused({ table: EVENTS.name, rowIndex: written.rowIndex, column }, reason, detail);
};

function checkNumbers(row: EventRow, written: Written): void {
  if (!Number.isSafeInteger(row.time)) refuse(written, 'time', 'not_a_time', 'is no exact instant');
  if (!Number.isSafeInteger(row.committedAt))
    refuse(written, 'committed_at', 'not_a_time', 'is no exact instant');
  if (row.publishedAt !== null && !Number.isSafeInteger(row.publishedAt)) {
    refuse(written, 'published_at', 'not_a_time', 'is no exact instant');
  }
  if (!Number.isSafeInteger(row.catalogueVersion))
    refuse(written, 'catalogue_version', 'wrong_type', 'is no integer');
  if (!knownOutcomes.has(row.outcome))
    refuse(written, 'outcome', 'not_one_of', `is none of ${OUTCOMES.join(', ')}`);
}

function putHashes(buffer: TextBuffer, { identity, digest }: EventRow, written: Written): void {
  reserve(buffer, 2 * HASH_FIELD_BYTES);
  if (!putHash(buffer, buffer.at, identity)) refuse(written, 'identity', 'not_a_hash', 'is not 16 bytes');
  buffer.at += HASH_FIELD_BYTES;
  if (digest === null) {
    written.nulls++;
    putText(buffer, NULL_MARK + DELIMITER);
    return;
  }
  if (!putHash(buffer, buffer.at, digest)) refuse(written, 'digest', 'not_a_hash', 'is not 16 bytes');
  buffer.at += HASH_FIELD_BYTES;
}

export function createEventEncoder(): RowEncoder<EventRow> {
  const head = createMemo(
    (row) => `${row.outcome}${DELIMITER}${row.namespace}${DELIMITER}`,
    (a, b) => a.outcome === b.outcome && a.namespace === b.namespace,
    ({ namespace }) => namespace.isWellFormed(),
  );
  const kind = createMemo(
    ({ source, type }) => `${DELIMITER}${source}${DELIMITER}${type}${DELIMITER}`,
    (a, b) => a.source === b.source && a.type === b.type,
    ({ source, type }) => source.isWellFormed() && type.isWellFormed(),
  );
  const tail = createMemo(
    ({ attributes, publishedAt, committedAt, catalogueVersion, matchedMeters }) =>
      `${DELIMITER}${attributes ?? NULL_MARK}${DELIMITER}${publishedAt === null ? NULL_MARK : instantText(publishedAt)}${DELIMITER}` +
      `${instantText(committedAt)}${DELIMITER}${catalogueVersion}${DELIMITER}${JSON.stringify(matchedMeters)}${LINE_END}`,
    (a, b) =>
      a.publishedAt === b.publishedAt &&
      a.committedAt === b.committedAt &&
      a.attributes === b.attributes &&
      a.catalogueVersion === b.catalogueVersion &&
      a.matchedMeters === b.matchedMeters,
    // As JSON a label is well-formed whatever is in it.
    ({ attributes, matchedMeters }) =>
      (attributes === null || attributes.isWellFormed()) &&
      matchedMeters.every((label) => label.isWellFormed()),
  );

  /** Piece by piece into the buffer: to join them first would make a string of each pair, and all of them garbage. */
  function putLine(buffer: TextBuffer, row: EventRow, written: Written): void {
    const [first, second, last] = [head(row), kind(row), tail(row)];
    const { id, subject, data } = row;
    if (
      !(first.isWellFormed && second.isWellFormed && last.isWellFormed) ||
      !(id.isWellFormed() && subject.isWellFormed() && (data === null || data.isWellFormed()))
    )
      refuse(written, columnWhere(row, isIllFormed) ?? 'data', 'lone_surrogate', 'holds half a character');
    putBytes(buffer, first.bytes);
    putText(buffer, id);
    putBytes(buffer, second.bytes);
    putText(buffer, subject);
    putByte(buffer, DELIMITER_CODE);
    putInstant(buffer, row.time);
    putByte(buffer, DELIMITER_CODE);
    putText(buffer, data ?? NULL_MARK);
    putBytes(buffer, last.bytes);
  }

  return {
    table: EVENTS,
    put(buffer, row, written) {
      checkNumbers(row, written);
      putHashes(buffer, row, written);
      written.nulls +=
        (row.data === null ? 1 : 0) + (row.attributes === null ? 1 : 0) + (row.publishedAt === null ? 1 : 0);
      putLine(buffer, row, written);
      return row.time;
    },
    columnWhere,
  };
}

/** A part of a line that neighbouring rows share, as it is written. */
interface SharedPart {
  readonly bytes: Uint8Array;
  /** Whether all its values are. */
  readonly isWellFormed: boolean;
}

/** Makes a part anew only when the row differs from the last in what it is made of. */
function createMemo(
  format: (row: EventRow) => string,
  isSame: (a: EventRow, b: EventRow) => boolean,
  isWellFormed: (row: EventRow) => boolean,
): (row: EventRow) => SharedPart {
  let last: EventRow | undefined;
  let part: SharedPart = { bytes: Buffer.alloc(0), isWellFormed: true };
  return (row) => {
    if (last === undefined || !isSame(row, last))
      part = { bytes: Buffer.from(format(row)), isWellFormed: isWellFormed(row) };
    last = row;
    return part;
  };
}

const isIllFormed = (value: string): boolean => !value.isWellFormed();

function columnWhere(row: EventRow, matches: (text: string) => boolean): string | undefined {
  const entries = Object.entries(toWarehouseRow(row));
  return entries.find(([, value]) =>
    typeof value === 'string' ? matches(value) : Array.isArray(value) && value.some(matches),
  )?.[0];
}
