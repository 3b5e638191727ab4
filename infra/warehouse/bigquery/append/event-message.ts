import { HASH128_BYTES, toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { RowRefused } from '../../errors.ts';
import { OUTCOMES, type EventRow } from '../../event-row.ts';
import { EVENTS } from '../../tables.ts';
import { putInteger, putString, type MessageBuffer } from './message-buffer.ts';
import { faultOfInstant, faultOfText, type Fault, type PutRow } from './row-message.ts';

/** The field of a column: its place in the declaration, so that a column added there cannot shift the others. */
const fieldOf = (name: string): number => {
  const index = EVENTS.columns.findIndex((column) => column.name === name);
  if (index < 0) throw new RangeError(`events has no column ${name}`);
  return index + 1;
};

/** A column of the fast way: its field, and what is put there. */
interface Put<Value> {
  readonly column: string;
  readonly field: number;
  readonly value: (row: EventRow) => Value;
}
const put = <Value>(column: string, value: (row: EventRow) => Value): Put<Value> => ({
  column,
  field: fieldOf(column),
  value,
});

const HASHES = [put('identity', (row) => row.identity), put('digest', (row) => row.digest)];
const TEXTS = [
  put('outcome', (row) => row.outcome),
  put('namespace', (row) => row.namespace),
  put('id', (row) => row.id),
  put('source', (row) => row.source),
  put('type', (row) => row.type),
  put('subject', (row) => row.subject),
  put('data', (row) => row.data),
  put('attributes', (row) => row.attributes),
];
const TIMES = [
  put('time', (row) => row.time),
  put('published_at', (row) => row.publishedAt),
  put('committed_at', (row) => row.committedAt),
];
const CATALOGUE_VERSION = fieldOf('catalogue_version');
const MATCHED_METERS = fieldOf('matched_meters');

const outcomes: ReadonlySet<string> = new Set(OUTCOMES);

const BYTE_MAX = 0xff;

function isHash(hash: Hash128): boolean {
  for (let i = 0; i < hash.length; i++) if (hash.charCodeAt(i) > BYTE_MAX) return false;
  return hash.length === HASH128_BYTES;
}

function refuse(column: string, rowIndex: number, { reason, detail }: Fault): never {
  throw new RowRefused({ table: EVENTS.name, rowIndex, column }, reason, detail);
}

/** A row of the commit path as a message, without the detour through the port's own rows: its hashes and times are not made text first. */
export const putEvent: PutRow<EventRow> = (buffer, row, rowIndex) => {
  for (const { column, field, value } of HASHES) {
    const hash = value(row);
    if (hash === null) continue;
    if (!isHash(hash)) refuse(column, rowIndex, { reason: 'not_a_hash', detail: 'is not 16 bytes' });
    putString(buffer, field, toHex(hash));
  }
  for (const { column, field, value } of TEXTS) {
    const text = value(row);
    if (text === null) continue;
    const fault = faultOfText(text);
    if (fault !== undefined) refuse(column, rowIndex, fault);
    putString(buffer, field, text);
  }
  for (const { column, field, value } of TIMES) {
    const at = value(row);
    if (at === null) continue;
    const fault = faultOfInstant(at);
    if (fault !== undefined) refuse(column, rowIndex, fault);
    putInteger(buffer, field, at);
  }
  putCatalogue(buffer, row, rowIndex);
};

function putCatalogue(
  buffer: MessageBuffer,
  { outcome, catalogueVersion, matchedMeters }: EventRow,
  rowIndex: number,
): void {
  if (!outcomes.has(outcome))
    refuse('outcome', rowIndex, { reason: 'not_one_of', detail: `is none of ${OUTCOMES.join(', ')}` });
  if (!Number.isSafeInteger(catalogueVersion))
    refuse('catalogue_version', rowIndex, { reason: 'wrong_type', detail: 'is no integer' });
  putInteger(buffer, CATALOGUE_VERSION, catalogueVersion);
  for (const label of matchedMeters) {
    const fault = faultOfText(label);
    if (fault !== undefined) refuse('matched_meters', rowIndex, fault);
    putString(buffer, MATCHED_METERS, label);
  }
}
