import { expect } from 'chai';
import fc from 'fast-check';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { Key } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';
import { expectRejection, factRow, identity, plainRow, upsertAll } from './support.ts';
import type { WithDatabase } from './support.ts';
import { everyType, fact, plain } from './tables.ts';

type EveryType = Row<typeof everyType>;

const zeros: Hash128 = '\0'.repeat(16);

const someRow: EveryType = {
  text: '',
  number: 0,
  flag: false,
  at: 0,
  hash: zeros,
  valueText: '',
  valueNumber: 0,
  valueFlag: false,
  committedAt: 0,
  valueBytes: new Uint8Array(),
  valueHash: zeros,
  valueJson: {},
  maybeText: null,
  maybeNumber: null,
  maybeFlag: null,
  maybeAt: null,
  maybeBytes: null,
  maybeHash: null,
  maybeJson: null,
};

const keyOf = ({ text, number, flag, at, hash }: EveryType): Key => [text, number, flag, at, hash];

/** 20 integer digits and 18 decimals, the longest quantity there is; doubles hold 17 digits. */
const longestDecimal = '-12345678901234567890.123456789012345678';
const nonAscii = 'Zürich \u{1F600} \u0000 日本 e\u0301 \uFFFD "quoted" \\ \n';
const fullRow: EveryType = {
  text: longestDecimal,
  number: Number.MAX_SAFE_INTEGER,
  flag: true,
  at: 1_772_323_199_999_999,
  hash: identity('key'),
  valueText: nonAscii,
  valueNumber: Number.MIN_SAFE_INTEGER,
  valueFlag: true,
  committedAt: -1,
  valueBytes: Uint8Array.from({ length: 1000 }, (_, i) => i % 256),
  valueHash: '\xff'.repeat(16),
  valueJson: { a: [1, null, 'é', { b: false }], quantity: longestDecimal, empty: {} },
  maybeText: '',
  maybeNumber: Number.MAX_SAFE_INTEGER,
  maybeFlag: false,
  maybeAt: 0,
  maybeBytes: new Uint8Array(),
  maybeHash: zeros,
  maybeJson: ['x'],
};

/** Characters of any plane, but no half surrogate pair. */
const text = fc.string({ unit: 'binary', maxLength: 20 });
const hash128 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
// -0 is an integer to JavaScript and 0 to every store.
const integer = fc.maxSafeInteger().map((value) => value + 0);
const bytes = fc.uint8Array({ maxLength: 40 });
const document = fc
  .jsonValue({ noUnicodeString: false })
  .map((value) => JSON.parse(JSON.stringify(value ?? {})) as unknown);
const orNull = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.option(value, { nil: null });
const timestamp = integer.filter((value) => value !== commitTimestamp);
/** A column that takes the time of a commit may refuse times that have not come. */
const pastTime = fc
  .integer({ min: Number.MIN_SAFE_INTEGER + 1, max: 1_772_323_200_000_000 })
  .map((value) => value + 0);

const anyRow: fc.Arbitrary<EveryType> = fc.record({
  text,
  number: integer,
  flag: fc.boolean(),
  at: timestamp,
  hash: hash128,
  valueText: text,
  valueNumber: integer,
  valueFlag: fc.boolean(),
  committedAt: timestamp,
  valueBytes: bytes,
  valueHash: hash128,
  valueJson: document.map((value) => value ?? {}),
  maybeText: orNull(text),
  maybeNumber: orNull(integer),
  maybeFlag: orNull(fc.boolean()),
  maybeAt: orNull(timestamp),
  maybeBytes: orNull(bytes),
  maybeHash: orNull(hash128),
  maybeJson: orNull(document),
});

export function valuesContract(withDatabase: WithDatabase): void {
  describe('values', () => {
    for (const [name, row] of Object.entries({ 'the empty': someRow, 'the fullest': fullRow })) {
      it(
        `gives ${name} value of every column type back as it was written`,
        withDatabase(async ({ database }) => {
          await upsertAll(database, everyType, [row]);
          const [read] = await database.read(everyType, [keyOf(row)]);
          expect(read).to.deep.equal(row);
        }),
      );
    }

    it(
      'gives any row back as it was written, found by its key',
      withDatabase(async ({ database }) => {
        await fc.assert(
          fc.asyncProperty(fc.array(anyRow, { maxLength: 5 }), async (rows) => {
            await upsertAll(database, everyType, rows);
            const last = rows.at(-1);
            if (last === undefined) return;
            expect(await database.read(everyType, [keyOf(last)])).to.deep.equal([last]);
          }),
          { numRuns: 30 },
        );
      }),
    );

    it(
      'gives any rows of an append-only table back as they were written',
      withDatabase(async ({ database }) => {
        const anyFact = fc.record({
          digest: orNull(hash128),
          subject: text,
          time: timestamp,
          committedAt: pastTime,
        });
        let serial = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(anyFact, { maxLength: 20 }), async (some) => {
            const rows = some.map((more) => factRow(serial++, more));
            await database.transact(async (tx) => rows.forEach((row) => tx.insert(fact, row)));
            expect(
              await database.read(
                fact,
                rows.map(({ identity }) => [identity]),
              ),
            ).to.deep.equal(rows);
          }),
          { numRuns: 30 },
        );
      }),
    );

    it(
      'keeps each of the 256 byte values of a hash apart, in keys and in columns',
      withDatabase(async ({ database }) => {
        const rows = Array.from({ length: 256 }, (_, byte) => {
          const hash = String.fromCharCode(byte).repeat(16);
          return factRow(0, { identity: hash, digest: hash, committedAt: byte });
        });
        await database.transact(async (tx) => rows.forEach((row) => tx.insert(fact, row)));
        const keys = rows.map(({ identity }) => [identity]);
        expect(await database.read(fact, keys)).to.deep.equal(rows);
      }),
    );

    it(
      'keeps texts apart that Unicode normalisation, case or trailing spaces would make one',
      withDatabase(async ({ database }) => {
        const names = ['é', 'e\u0301', 'É', 'e', 'e ', ' e', '', '\u0000', '\u0000e'];
        await upsertAll(
          database,
          plain,
          names.map((name, rank) => plainRow(name, { rank })),
        );
        const read = await database.read(
          plain,
          names.map((name) => ['default', name]),
        );
        expect(read.map((row) => row?.rank)).to.deep.equal(names.map((_, rank) => rank));
      }),
    );

    const refused: Record<string, Partial<Record<keyof EveryType, unknown>>> = {
      'an integer above 2^53 - 1': { valueNumber: Number.MAX_SAFE_INTEGER + 1 },
      'an integer below -(2^53 - 1)': { valueNumber: Number.MIN_SAFE_INTEGER - 1 },
      'a fraction in an integer column': { valueNumber: 0.5 },
      'a time that is not a number': { committedAt: Number.NaN },
      'a hash of 15 bytes': { valueHash: zeros.slice(1) },
      'a hash with a character above 255': { valueHash: `${zeros.slice(1)}\u0100` },
      'half a surrogate pair': { valueText: 'a\uD800' },
      'null in a column that is not nullable': { valueText: null },
      'a number in a text column': { valueText: 1 },
    };
    for (const [name, more] of Object.entries(refused)) {
      it(
        `refuses ${name} and writes nothing`,
        withDatabase(async ({ database }) => {
          const bad = { ...fullRow, ...more } as EveryType;
          await expectRejection(upsertAll(database, everyType, [someRow, bad]), 'RefusedValue');
          expect(await database.read(everyType, [keyOf(someRow), keyOf(fullRow)])).to.deep.equal([
            undefined,
            undefined,
          ]);
        }),
      );
    }

    it(
      'refuses a bad hash in an append-only table and writes nothing',
      withDatabase(async ({ database }) => {
        const bad = factRow(2, { digest: `${zeros.slice(1)}\u0100` });
        await expectRejection(upsertAll(database, fact, [factRow(1), bad]), 'RefusedValue');
        expect(await database.read(fact, [[identity(1)], [identity(2)]])).to.deep.equal([
          undefined,
          undefined,
        ]);
      }),
    );
  });
}
