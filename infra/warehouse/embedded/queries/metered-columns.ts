import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Fingerprint } from '#domain/metering/fingerprint.ts';
import { fingerprintToHash } from '#domain/metering/fingerprint.ts';
import { QueryFailed } from '../../errors.ts';
import type { MeteredEvent } from '../../metered-event.ts';
import { METERED_ROWS_MAX } from '../../questions/event-page.ts';
import { readParameters } from '../../questions/parameters.ts';
import { EVENTS } from '../../tables.ts';
import type { MeteredOptions, QueryParameters } from '../../warehouse.ts';
import { eventFilter, exactEvents, type EventFilter } from './event-filter.ts';
import type { Plan } from './named-query.ts';

/** As a plan, but its answer is read column by column. */
export interface ColumnPlan extends Omit<Plan, 'present' | 'limit'> {
  read(chunk: DuckDBDataChunk): MeteredEvent[];
}

/** Of a column that is two halves of 64 bits: its four limbs, each of which fits a number. */
const limbs = (column: string): string[] =>
  ['high', 'low'].flatMap((half) => [
    `CAST(${column}_${half} >> 32 AS UINTEGER)`,
    `CAST(${column}_${half} & 4294967295 AS UINTEGER)`,
  ]);

/** Where the columns of an answer stand. Doubles hold every whole number that a time may be; what is none is refused as it is read. */
const COLUMNS = [
  ...limbs('identity'),
  ...limbs('digest'),
  'CAST(time AS DOUBLE)',
  'CAST(catalogue_version AS DOUBLE)',
  'subject',
  'data',
];
const [IDENTITY, DIGEST, TIME, VERSION, SUBJECT, DATA, MORE] = [0, 4, 8, 9, 10, 11, 12] as const;

const CARRIED = 'digest_high, digest_low, data, catalogue_version';

/** The exact events that meters counted, in the order of time: only the columns that are folded, and texts that are not all alike. */
export function planMeteredColumns(given: QueryParameters, { names = false }: MeteredOptions): ColumnPlan {
  const parameters = readParameters('metered_events', given);
  const filter = eventFilter(parameters);
  parameters.finish();
  const more = [...(filter.type === undefined ? ['type'] : []), ...(names ? ['id', 'source'] : [])];
  const columns = [CARRIED, ...more].join(', ');
  return {
    table: EVENTS.name,
    days: filter.days,
    sql: `${exactEvents(filter, columns)}\nSELECT ${[...COLUMNS, ...more].join(', ')} FROM exact ORDER BY exact.time`,
    bindings: filter.bindings,
    rowsMax: METERED_ROWS_MAX,
    read: readerOf(filter, more),
  };
}

function readerOf({ type: only }: EventFilter, more: readonly string[]): ColumnPlan['read'] {
  return (chunk) => {
    const texts = (name: string): Vector | undefined => {
      const at = more.indexOf(name);
      return at < 0 ? undefined : chunk.getColumnVector(MORE + at);
    };
    const [types, ids, sources] = [texts('type'), texts('id'), texts('source')];
    const [times, versions] = [chunk.getColumnVector(TIME), chunk.getColumnVector(VERSION)];
    const [subjects, datas] = [chunk.getColumnVector(SUBJECT), chunk.getColumnVector(DATA)];
    const [identities, digests] = [limbsOf(chunk, IDENTITY), limbsOf(chunk, DIGEST)];
    return Array.from({ length: chunk.rowCount }, (_, row) => ({
      identity: fingerprintToHash(limbsAt(identities, row)),
      digest: limbsAt(digests, row),
      id: ids === undefined ? '' : textAt(ids, row),
      source: sources === undefined ? '' : textAt(sources, row),
      type: types === undefined ? (only ?? '') : textAt(types, row),
      subject: textAt(subjects, row),
      time: wholeAt(times, row),
      data: textAt(datas, row),
      catalogueVersion: wholeAt(versions, row),
    }));
  };
}

/** Values of one column; null is what has none. */
interface Vector {
  getItem(row: number): unknown;
}
type Limbs = readonly [Vector, Vector, Vector, Vector];

const limbsOf = (chunk: DuckDBDataChunk, from: number): Limbs => [
  chunk.getColumnVector(from),
  chunk.getColumnVector(from + 1),
  chunk.getColumnVector(from + 2),
  chunk.getColumnVector(from + 3),
];

const limbsAt = ([v0, v1, v2, v3]: Limbs, row: number): Fingerprint => ({
  f0: limbAt(v0, row),
  f1: limbAt(v1, row),
  f2: limbAt(v2, row),
  f3: limbAt(v3, row),
});

/** As the signed number that fingerprints hold. */
function limbAt(vector: Vector, row: number): number {
  const value = vector.getItem(row);
  return typeof value === 'number' ? value | 0 : refuse('a hash', value);
}

function wholeAt(vector: Vector, row: number): number {
  const value = vector.getItem(row);
  return Number.isSafeInteger(value) ? (value as number) : refuse('a whole number', value);
}

function textAt(vector: Vector, row: number): string {
  const value = vector.getItem(row);
  return typeof value === 'string' ? value : refuse('text', value);
}

/** The SQL decides the types, so anything else is a mistake in this code: it must not pass as an answer. */
function refuse(expected: string, value: unknown): never {
  throw new QueryFailed(`expected ${expected}, the engine gave ${String(value)}`);
}
