import { expect } from 'chai';
import fc from 'fast-check';
import { StoreError } from '#infra/database/errors.ts';
import { CELL_BYTES_MAX, STRING_CHARS_MAX, decodeValue, encodeValue } from '#infra/database/spanner/field.ts';
import type { Field } from '#infra/database/field.ts';
import type { WireText, WireValue } from '#infra/database/spanner/field.ts';
import { instantOf, timestampText } from '#infra/database/spanner/timestamp-text.ts';
import { instantOfProto, protoTimeOf } from '#infra/database/spanner/proto-time.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { ColumnType } from '#infra/database/table.ts';

const field = (type: ColumnType, more: Partial<Field> = {}): Field => ({
  table: 'thing',
  name: 'value',
  type,
  nullable: false,
  commitTime: false,
  ...more,
});

/** What a stream hands out of a value that was sent. */
const received = (value: WireValue): WireText =>
  'stringValue' in value ? value.stringValue : 'boolValue' in value ? value.boolValue : null;
const thereAndBack = (of: Field, value: unknown): unknown =>
  decodeValue(of, received(encodeValue(of, value)));

const kindOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return error instanceof StoreError ? error.kind : String(error);
  }
  return 'done';
};

const instants = fc.maxSafeInteger().filter((value) => value !== commitTimestamp);

describe('the values of Spanner', () => {
  it('come back as they went, of every type', () => {
    const values: [ColumnType, fc.Arbitrary<unknown>][] = [
      ['string', fc.string({ unit: 'binary' })],
      ['int64', fc.maxSafeInteger().map((value) => value + 0)],
      ['bool', fc.boolean()],
      ['timestamp', instants.map((value) => value + 0)],
      ['bytes', fc.uint8Array({ maxLength: 300 })],
      ['hash', fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString('latin1'))],
      [
        'json',
        fc
          .jsonValue({ noUnicodeString: false })
          .map((value) => JSON.parse(JSON.stringify(value ?? {})) as unknown),
      ],
    ];
    for (const [type, value] of values) {
      fc.assert(fc.property(value, (one) => void expect(thereAndBack(field(type), one)).to.deep.equal(one)));
    }
  });

  it('are null only where the column may be', () => {
    expect(thereAndBack(field('string', { nullable: true }), null)).to.equal(null);
    expect(kindOf(() => encodeValue(field('string'), null))).to.equal('RefusedValue');
    expect(kindOf(() => encodeValue(field('string'), undefined))).to.equal('StoreFailure');
  });

  it('are the time of the commit only in a column that is declared for it', () => {
    expect(encodeValue(field('timestamp', { commitTime: true }), commitTimestamp)).to.deep.equal({
      stringValue: 'spanner.commit_timestamp()',
    });
    expect(kindOf(() => encodeValue(field('timestamp'), commitTimestamp))).to.equal('StoreFailure');
  });

  it('are refused where Spanner would never take them', () => {
    const refused: [ColumnType, unknown][] = [
      ['string', 'a\uD800'],
      ['string', 'x'.repeat(STRING_CHARS_MAX + 1)],
      ['json', ['x'.repeat(STRING_CHARS_MAX)]],
      ['bytes', new Uint8Array(CELL_BYTES_MAX + 1)],
      ['int64', 2 ** 53],
      ['timestamp', 0.5],
      ['bool', 1],
      ['hash', 'x'.repeat(15)],
      ['hash', `${'x'.repeat(15)}\u0100`],
    ];
    for (const [type, value] of refused)
      expect(kindOf(() => encodeValue(field(type), value))).to.equal('RefusedValue');
    // As many characters, in twice as many units of UTF-16.
    expect(kindOf(() => encodeValue(field('string'), '\u{1F600}'.repeat(STRING_CHARS_MAX)))).to.equal('done');
  });

  it('fail to be read where JavaScript cannot hold them', () => {
    expect(kindOf(() => decodeValue(field('int64'), '9007199254740993'))).to.equal('StoreFailure');
  });
});

describe('the times of Spanner', () => {
  it('have microseconds, before 1970 too', () => {
    expect(timestampText(-1)).to.equal('1969-12-31T23:59:59.999999Z');
    expect(timestampText(1_772_323_200_000_001)).to.equal('2026-03-01T00:00:00.000001Z');
    fc.assert(
      fc.property(
        instants,
        (instant) => void expect(instantOf(timestampText(instant))).to.equal(instant + 0),
      ),
    );
    fc.assert(
      fc.property(
        instants,
        (instant) => void expect(instantOfProto(protoTimeOf(instant))).to.equal(instant + 0),
      ),
    );
  });

  it('are read however many digits their fraction has', () => {
    expect(instantOf('1970-01-01T00:00:01Z')).to.equal(1_000_000);
    expect(instantOf('1970-01-01T00:00:01.5Z')).to.equal(1_500_000);
    expect(instantOf('1970-01-01T00:00:01.000001999Z')).to.equal(1_000_001);
  });
});
