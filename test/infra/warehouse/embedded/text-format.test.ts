import { expect } from 'chai';
import fc from 'fast-check';
import { OUTCOMES, toWarehouseRow, type EventRow } from '#infra/warehouse/event-row.ts';
import { createEventEncoder } from '#infra/warehouse/embedded/event-encoder.ts';
import { createRowEncoder } from '#infra/warehouse/embedded/row-encoder.ts';
import { countControlCharacters, createTextBuffer, putText } from '#infra/warehouse/embedded/text-buffer.ts';
import { encodeRows, LINE_BYTES_MAX } from '#infra/warehouse/embedded/text-format.ts';
import { ROWS_PER_APPEND_MAX } from '#infra/warehouse/tables.ts';
import { RowRefused, WarehouseLimitExceeded } from '#infra/warehouse/errors.ts';
import { EVENTS } from '#infra/warehouse/tables.ts';
import { eventRow } from '#test/contract/warehouse/rows.ts';

const hash = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => String.fromCharCode(...bytes));
const text = fc.string({ unit: 'binary' }).map((value) =>
  Array.from(value)
    .filter((character) => character >= ' ')
    .join(''),
);
const instant = fc.integer({ min: 0, max: 4_000_000_000_000_000 });

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
  catalogueVersion: fc.nat(),
  matchedMeters: fc.array(text, { maxLength: 3 }),
});

describe('a text segment', () => {
  it('is the same whether rows come as events or in the terms of the port', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), (rows) => {
        const events = encodeRows(createEventEncoder(), rows, createTextBuffer());
        const plain = encodeRows(createRowEncoder(EVENTS), rows.map(toWarehouseRow), createTextBuffer());
        expect(events.bytes.toString('utf8')).to.equal(plain.bytes.toString('utf8'));
        expect({ ...events, bytes: 0 }).to.deep.equal({ ...plain, bytes: 0 });
      }),
    );
  });

  it('has one line a row and one tab less than columns in each, whatever the values', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), (rows) => {
        const lines = encodeRows(createEventEncoder(), rows, createTextBuffer())
          .bytes.toString('utf8')
          .split('\n');
        expect(lines.pop()).to.equal('');
        expect(lines).to.have.length(rows.length);
        for (const line of lines) expect(line.split('\t')).to.have.length(EVENTS.columns.length);
      }),
    );
  });

  it('refuses a control character wherever in a batch it stands', () => {
    const place = fc.record({
      before: fc.array(event, { maxLength: 10 }),
      culprit: event,
      after: fc.array(event, { maxLength: 10 }),
      column: fc.constantFrom('namespace', 'id', 'source', 'type', 'subject', 'data', 'attributes'),
      control: fc.integer({ min: 0, max: 31 }).map((code) => String.fromCharCode(code)),
      around: text,
    });
    fc.assert(
      fc.property(place, ({ before, culprit, after, column, control, around }) => {
        const rows = [...before, { ...culprit, [column]: `${around}${control}${around}` }, ...after];
        expect(() => encodeRows(createEventEncoder(), rows, createTextBuffer()))
          .to.throw(RowRefused)
          .that.includes({ rowIndex: before.length, column, reason: 'control_character' });
      }),
    );
  });

  it('refuses half a character in any of its texts, wherever in a batch it stands and however often it comes', () => {
    const half = 'half \ud83c';
    const culprits: readonly (readonly [string, Partial<EventRow>])[] = [
      ...['namespace', 'id', 'source', 'type', 'subject', 'data', 'attributes'].map(
        (column): [string, Partial<EventRow>] => [column, { [column]: half }],
      ),
      ['matched_meters', { matchedMeters: ['tokens@1', half] }],
    ];
    for (const [column, given] of culprits) {
      const encoder = createEventEncoder();
      const rows = [eventRow('e-1'), eventRow('e-2'), eventRow('e-3', given), eventRow('e-4')];
      for (const [at, some] of [rows, rows.slice(1), rows.slice(2)].entries())
        expect(() => encodeRows(encoder, some, createTextBuffer()), column)
          .to.throw(RowRefused)
          .that.includes({ rowIndex: 2 - at, column, reason: 'lone_surrogate' });
      expect(encodeRows(encoder, rows.slice(3), createTextBuffer()).rows).to.equal(1);
    }
  });

  it('counts control characters like a loop over the bytes does, whatever follows the last one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), (content, length) => {
        const buffer = createTextBuffer();
        buffer.bytes.set(content);
        const end = Math.min(length, content.length);
        const expected = content.subarray(0, end).filter((byte) => byte < 32).length;
        expect(countControlCharacters(buffer.bytes, end)).to.equal(expected);
      }),
    );
  });

  it('refuses a row that is too long and takes the longest that a meter may make', () => {
    const encode = (data: string): unknown =>
      encodeRows(createEventEncoder(), [eventRow('e', { data })], createTextBuffer());
    expect(() => encode('x'.repeat(LINE_BYTES_MAX)))
      .to.throw(RowRefused)
      .that.includes({ reason: 'too_long', rowIndex: 0 });
    encode('é'.repeat(LINE_BYTES_MAX / 4));
  });

  it('refuses more rows than one append may have', () => {
    const rows = Array.from({ length: ROWS_PER_APPEND_MAX + 1 }, () => eventRow('e'));
    expect(() => encodeRows(createEventEncoder(), rows, createTextBuffer())).to.throw(WarehouseLimitExceeded);
  });

  it('grows with its text and keeps what was written', () => {
    const buffer = createTextBuffer();
    const part = 'ü'.repeat(300_000);
    for (let i = 0; i < 5; i++) putText(buffer, part);
    expect(buffer.bytes.toString('utf8', 0, buffer.at)).to.equal(part.repeat(5));
  });
});
