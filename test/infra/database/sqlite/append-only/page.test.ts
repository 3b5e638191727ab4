import { expect } from 'chai';
import fc from 'fast-check';
import { StoreFailure } from '#infra/database/errors.ts';
import { MAX_PAGE_ROWS, decodeRowAt, encodePage } from '#infra/database/sqlite/append-only/page.ts';
import { fieldsOf } from '#infra/database/field.ts';
import { column, commitTime, commitTimestamp, defineTable, nullable } from '#infra/database/table.ts';

const table = defineTable('page_test', {
  columns: {
    text: column('string'),
    number: column('int64'),
    at: commitTime(),
    flag: column('bool'),
    bytes: column('bytes'),
    hash: column('hash'),
    json: column('json'),
    maybeText: nullable('string'),
    maybeNumber: nullable('int64'),
    maybeHash: nullable('hash'),
    maybeBytes: nullable('bytes'),
    maybeFlag: nullable('bool'),
  },
  key: ['hash'],
});
const fields = fieldsOf(table);

const text = fc.string({ unit: 'binary', maxLength: 6 });
const integer = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 })).map((value) => value + 0);
const hash = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const bytes = fc.uint8Array({ maxLength: 5 });
const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const row = fc.record({
  text,
  number: integer,
  at: integer.filter((value) => value !== commitTimestamp),
  flag: fc.boolean(),
  bytes,
  hash,
  json: fc.constantFrom({ a: [1, 'é'] }, [], 'x', 0),
  maybeText: orNull(text),
  maybeNumber: orNull(integer),
  maybeHash: orNull(hash),
  maybeBytes: orNull(bytes),
  maybeFlag: orNull(fc.boolean()),
});

const someRow = {
  text: 'a',
  number: 1,
  at: 2,
  flag: true,
  bytes: new Uint8Array(),
  hash: '\0'.repeat(16),
  json: {},
  maybeText: null,
  maybeNumber: null,
  maybeHash: null,
  maybeBytes: null,
  maybeFlag: null,
};

/** The page column by column, read row by row as the driver does. */
const decodePage = (of: Parameters<typeof decodeRowAt>[0], rest: Uint8Array, count: number): unknown[][] => {
  const rows = Array.from({ length: count }, (_, at) => decodeRowAt(of, rest, count, at));
  return of.map((_, column) => rows.map((row) => row[column]));
};

describe('a page', () => {
  it('gives the rows back that were put in, column by column', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
        const columns = decodePage(fields, encodePage(fields, rows, 1), rows.length);
        const read = rows.map((_, i) =>
          Object.fromEntries(fields.map(({ name }, at) => [name, columns[at]?.[i]])),
        );
        expect(read).to.deep.equal(rows);
      }),
      { numRuns: 200 },
    );
  });

  for (const [kind, after] of [
    ['of ASCII', ''],
    ['with longer characters', ' \u{1F600}'],
  ])
    it(`takes as many different texts ${kind} as it has rows`, () => {
      const rows = Array.from({ length: MAX_PAGE_ROWS }, (_, i) => ({
        ...someRow,
        text: `text ${i}${after}`,
        number: i,
      }));
      const columns = decodePage(fields, encodePage(fields, rows, 1), rows.length);
      expect(columns[0]).to.deep.equal(rows.map(({ text }) => text));
      expect(columns[1]).to.deep.equal(rows.map(({ number }) => number));
    });

  it('has null in a column that was declared after it was written', () => {
    const older = encodePage(fields.slice(0, -1), [someRow], 1);
    expect(decodePage(fields, older, 1).at(-1)).to.deep.equal([null]);
  });

  it('has the time of the commit where that was asked for', () => {
    const page = encodePage(fields, [{ ...someRow, at: commitTimestamp }], 77);
    expect(decodePage(fields, page, 1)[2]).to.deep.equal([77]);
  });

  it('is intact after a row was refused', () => {
    expect(() => encodePage(fields, [someRow, { ...someRow, hash: 'short' }], 1)).to.throw('page_test.hash');
    expect(decodePage(fields, encodePage(fields, [someRow], 1), 1)[0]).to.deep.equal(['a']);
  });

  it('is refused when it is of a format this release does not know', () => {
    const page = encodePage(fields, [someRow], 1);
    page[0] = 99;
    expect(() => decodePage(fields, page, 1)).to.throw(StoreFailure, 'format 99');
  });
});
