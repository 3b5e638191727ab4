import { expect } from 'chai';
import fc from 'fast-check';
import { fromHex } from '#domain/metering/hash128.ts';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { putEvent } from '#infra/warehouse/bigquery/append/event-message.ts';
import {
  REQUEST_BYTES_MAX,
  REQUEST_ROWS_MAX,
  requestsOf,
  ROW_BYTES_MAX,
} from '#infra/warehouse/bigquery/append/requests.ts';
import { putRowOf } from '#infra/warehouse/bigquery/append/row-message.ts';
import { RowRefused, WarehouseLimitExceeded } from '#infra/warehouse/errors.ts';
import { OUTCOMES, toWarehouseRow, type EventRow } from '#infra/warehouse/event-row.ts';
import { EVENTS, ROWS_PER_APPEND_MAX } from '#infra/warehouse/tables.ts';
import type { WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { eventRow } from '#test/contract/warehouse/rows.ts';
import { readRow } from './fake-write-server.ts';

/** Any text without control characters or half characters: of one to four bytes each. */
const text = fc
  .string({ unit: 'binary' })
  .map((any) => [...any].filter((one) => one >= ' ' && one.isWellFormed()).join(''));
const instant = fc.maxSafeInteger();
const hash = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => fromHex(Buffer.from(bytes).toString('hex')));
const event: fc.Arbitrary<EventRow> = fc.record({
  identity: hash,
  digest: fc.option(hash),
  outcome: fc.constantFrom(...OUTCOMES),
  namespace: text,
  id: text,
  source: text,
  type: text,
  subject: text,
  time: instant,
  data: fc.option(text),
  attributes: fc.option(text),
  publishedAt: fc.option(instant),
  committedAt: instant,
  catalogueVersion: fc.maxSafeInteger(),
  matchedMeters: fc.array(text, { maxLength: 5 }),
});

/** What a message of the row must hold: each column's texts or numbers at its field. */
const fieldsOf = (row: WarehouseRow): unknown[] =>
  EVENTS.columns.flatMap(({ name, type }, index) => {
    const value = row[name] ?? [];
    const values = (Array.isArray(value) ? value : [value]) as readonly (string | number)[];
    if (values.length === 0) return [];
    const stored = values.map((each) => {
      if (type === 'time') return BigInt(parseRfc3339(String(each))!.at);
      return typeof each === 'number' ? BigInt(each) : each;
    });
    return [[index + 1, stored]];
  });

const fieldsIn = (bytes: Buffer): unknown[] => [...readRow(bytes)].toSorted(([a], [b]) => a - b);

const rowsIn = <Row>(requests: readonly { rows: readonly Row[] }[]): Row[] =>
  requests.flatMap(({ rows }) => [...rows]);

describe('messages to BigQuery', () => {
  it('hold any row of events, whichever way it is written', () => {
    const property = fc.property(fc.array(event, { minLength: 1, maxLength: 8 }), (events) => {
      const rows = events.map(toWarehouseRow);
      const expected = rows.map(fieldsOf);
      expect(rowsIn(requestsOf(EVENTS, putEvent, events)).map(fieldsIn)).to.deep.equal(expected);
      expect(rowsIn(requestsOf(EVENTS, putRowOf(EVENTS), rows)).map(fieldsIn)).to.deep.equal(expected);
    });
    fc.assert(property, { numRuns: 200 });
  });

  it('go in requests of bounded rows and bytes, none lost and in their order', () => {
    const many = Array.from({ length: 2 * REQUEST_ROWS_MAX + 1 }, (_, index) => eventRow(`e-${index}`));
    const requests = requestsOf(EVENTS, putEvent, many);
    expect(requests.map(({ firstRow, rows }) => [firstRow, rows.length])).to.deep.equal([
      [0, REQUEST_ROWS_MAX],
      [REQUEST_ROWS_MAX, REQUEST_ROWS_MAX],
      [2 * REQUEST_ROWS_MAX, 1],
    ]);
    const large = Array.from({ length: 20 }, (_, index) =>
      eventRow(`large-${index}`, { attributes: 'é'.repeat(ROW_BYTES_MAX / 4) }),
    );
    const parts = requestsOf(EVENTS, putEvent, large);
    expect(parts.length).to.be.greaterThan(1);
    for (const { bytes } of parts) expect(bytes).to.be.at.most(REQUEST_BYTES_MAX);
    const idField = 1 + EVENTS.columns.findIndex(({ name }) => name === 'id');
    expect(rowsIn(parts).map((row) => readRow(row).get(idField)?.[0])).to.deep.equal(
      large.map(({ id }) => id),
    );
  });

  it('are refused of a row that is too long, of a time that is no exact instant, and of too many rows', () => {
    const refusal = (row: EventRow): RowRefused => {
      try {
        requestsOf(EVENTS, putEvent, [eventRow('fine'), row]);
      } catch (error) {
        return error as RowRefused;
      }
      throw new Error('it was taken');
    };
    const long = refusal(eventRow('long', { attributes: 'x'.repeat(ROW_BYTES_MAX) }));
    expect(long).to.be.instanceOf(RowRefused);
    expect(long).to.include({ rowIndex: 1, reason: 'too_long' });
    const inexact = refusal(eventRow('inexact', { publishedAt: 2 ** 53 }));
    expect(inexact).to.include({ rowIndex: 1, column: 'published_at', reason: 'not_a_time' });
    const many = Array.from({ length: ROWS_PER_APPEND_MAX + 1 }, () => eventRow('e'));
    expect(() => requestsOf(EVENTS, putEvent, many)).to.throw(WarehouseLimitExceeded);
  });
});
