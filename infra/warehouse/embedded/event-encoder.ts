import type { Instant } from '#domain/instant.ts';
import { HASH128_BYTES, type Hash128 } from '#domain/metering/hash128.ts';
import { RowRefused, type RefusedValueReason } from '../errors.ts';
import { OUTCOMES, toWarehouseRow, type EventRow } from '../event-row.ts';
import { EVENTS } from '../tables.ts';
import { putText, reserve, type TextBuffer } from './text-buffer.ts';
import { DELIMITER, LINE_END, NULL_MARK, type RowEncoder, type Written } from './text-format.ts';

/*
 * The hot path: a row costs well below a microsecond because its strings are joined and encoded once, its hashes are written digit by
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
  let lastCommit = NaN;
  let lastCommitText = '';
  /** Lists are shared by all events that match alike; each lives as long as its catalogue. */
  const metersTexts = new WeakMap<readonly string[], string>();

  function commitText(at: Instant): string {
    if (at === lastCommit) return lastCommitText;
    lastCommit = at;
    return (lastCommitText = instantText(at));
  }

  function metersText(meters: readonly string[]): string {
    const known = metersTexts.get(meters);
    if (known !== undefined) return known;
    const text = JSON.stringify(meters);
    metersTexts.set(meters, text);
    return text;
  }

  function text(row: EventRow): string {
    const {
      outcome,
      namespace,
      id,
      source,
      type,
      subject,
      time,
      data,
      attributes,
      publishedAt,
      catalogueVersion,
    } = row;
    return (
      `${outcome}\t${namespace}\t${id}\t${source}\t${type}\t${subject}\t${instantText(time)}\t${data ?? NULL_MARK}\t` +
      `${attributes ?? NULL_MARK}\t${publishedAt === null ? NULL_MARK : instantText(publishedAt)}\t${commitText(row.committedAt)}\t` +
      `${catalogueVersion}\t${metersText(row.matchedMeters)}${LINE_END}`
    );
  }

  return {
    table: EVENTS,
    put(buffer, row, written) {
      checkNumbers(row, written);
      putHashes(buffer, row, written);
      written.nulls +=
        (row.data === null ? 1 : 0) + (row.attributes === null ? 1 : 0) + (row.publishedAt === null ? 1 : 0);
      const line = text(row);
      if (!line.isWellFormed()) {
        refuse(written, columnWhere(row, isIllFormed) ?? 'data', 'lone_surrogate', 'holds half a character');
      }
      putText(buffer, line);
      return row.time;
    },
    columnWhere,
  };
}

const isIllFormed = (value: string): boolean => !value.isWellFormed();

function columnWhere(row: EventRow, matches: (text: string) => boolean): string | undefined {
  const entries = Object.entries(toWarehouseRow(row));
  return entries.find(([, value]) =>
    typeof value === 'string' ? matches(value) : Array.isArray(value) && value.some(matches),
  )?.[0];
}
