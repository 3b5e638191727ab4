import { expect } from 'chai';
import fc from 'fast-check';
import { AGGREGATIONS, emptyAccumulator, type Accumulator } from '#domain/metering/accumulator.ts';
import { createByteReader } from '#domain/metering/byte-reader.ts';
import { createByteWriter } from '#domain/metering/byte-writer.ts';
import { addToHourCell, packHourCell, unpackHourCell } from '#domain/metering/hour-cell.ts';
import {
  readFingerprint,
  readMeasures,
  writeFingerprint,
  writeMeasures,
} from '#domain/metering/packed-accumulator.ts';
import { fromScaled, type Quantity } from '#domain/metering/quantity.ts';
import { quantities } from './cell-algebra-quantities.ts';

const writer = createByteWriter();

const VARINT_LIMITS = [
  ...[
    0,
    1,
    127,
    128,
    16_383,
    16_384,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 31 + 127,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 49,
    2 ** 52,
  ],
  ...[Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER],
];
const varints = fc.oneof(fc.constantFrom(...VARINT_LIMITS), fc.maxSafeNat(), fc.nat({ max: 300 }));

const EIGHTEEN = 10n ** 18n;
const QUANTITY_LIMITS: readonly Quantity[] = [
  ...[0, 1, -1, 31, 32, -31, -32, 4_095, 4_096, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  ...[
    1n,
    -1n,
    31n,
    32n,
    -32n,
    EIGHTEEN - 1n,
    10n ** 38n - 1n,
    -(10n ** 38n),
    10n ** 60n * EIGHTEEN,
    -(10n ** 60n) * EIGHTEEN - 1n,
  ].map(fromScaled),
  fromScaled((BigInt(Number.MAX_SAFE_INTEGER) + 1n) * EIGHTEEN),
];
const allQuantities = fc.oneof(
  fc.constantFrom(...QUANTITY_LIMITS),
  quantities,
  fc.bigInt({ min: -(10n ** 78n), max: 10n ** 78n }).map(fromScaled),
);
const hash128 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => String.fromCharCode(...bytes));
const int32 = fc.oneof(
  fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);

describe('packed bytes', () => {
  const item = fc.oneof(
    fc.record({ kind: fc.constant('byte' as const), value: fc.nat({ max: 255 }) }),
    fc.record({ kind: fc.constant('varint' as const), value: varints }),
    fc.record({ kind: fc.constant('int32' as const), value: int32 }),
    fc.record({ kind: fc.constant('quantity' as const), value: allQuantities }),
    fc.record({ kind: fc.constant('hash' as const), value: hash128 }),
  );

  it('come back as what was written, one after another, to the last byte', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), (items) => {
        for (const { kind, value } of items) (writer[kind] as (value: unknown) => void)(value);
        const reader = createByteReader(writer.take());
        for (const { kind, value } of items) expect(reader[kind]()).to.equal(value);
        expect(reader.atEnd).to.equal(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('come back at every limit', () => {
    for (const value of VARINT_LIMITS) writer.varint(value);
    for (const value of QUANTITY_LIMITS) writer.quantity(value);
    const reader = createByteReader(writer.take());
    for (const value of VARINT_LIMITS) expect(reader.varint()).to.equal(value);
    for (const value of QUANTITY_LIMITS) expect(reader.quantity()).to.equal(value);
    expect(reader.atEnd).to.equal(true);
  });

  it('are the same for equal quantities and small for small ones', () => {
    const bytesOf = (value: Quantity): number => {
      writer.quantity(value);
      return writer.take().length;
    };
    expect([0, 31, -31, 32, 1_200, -1_200, Number.MAX_SAFE_INTEGER].map(bytesOf)).to.deep.equal([
      1, 1, 1, 2, 2, 2, 8,
    ]);
  });

  it('are all of what was written since they were last taken, however much', () => {
    const large = Array.from({ length: 20_000 }, (_, i) => i);
    for (const value of large) writer.varint(value);
    const reader = createByteReader(writer.take());
    for (const value of large) expect(reader.varint()).to.equal(value);
    expect(writer.take()).to.have.lengthOf(0);
  });

  it('are not changed by what is written after they were taken', () => {
    writer.varint(5);
    const taken = writer.take();
    writer.varint(9);
    writer.take();
    expect([...taken]).to.deep.equal([5]);
  });

  it('hold no negative count, and what was begun is dropped so that the next cell is whole', () => {
    for (const value of [-1, -0.5, NaN, Number.MIN_SAFE_INTEGER]) {
      writer.varint(7);
      expect(() => writer.varint(value)).to.throw(RangeError, 'a packed cell holds no negative count');
      expect(writer.take()).to.have.lengthOf(0);
    }
  });

  it('that end too early are a defect, never a value', () => {
    fc.assert(
      fc.property(item, ({ kind, value }) => {
        (writer[kind] as (value: unknown) => void)(value);
        const cut = writer.take().slice(0, -1);
        expect(() => createByteReader(cut)[kind]()).to.throw(RangeError, 'packed cell ends too early');
      }),
    );
  });
});

describe('a packed accumulator', () => {
  const accumulators: fc.Arbitrary<Accumulator> = fc.record({
    count: varints,
    f0: int32,
    f1: int32,
    f2: int32,
    f3: int32,
    value: allQuantities,
    moment: allQuantities,
    time: fc.oneof(fc.maxSafeInteger(), fc.constant(0)),
    identity: hash128,
  });

  for (const aggregation of AGGREGATIONS) {
    it(`of ${aggregation} keeps what its aggregation needs, and its fingerprint`, () => {
      fc.assert(
        fc.property(accumulators, (from) => {
          writeMeasures(writer, aggregation, from);
          writeFingerprint(writer, from);
          const reader = createByteReader(writer.take());
          const into = readMeasures(reader, aggregation);
          readFingerprint(reader, into);
          expect(reader.atEnd).to.equal(true);
          const { count, f0, f1, f2, f3, value, moment, time, identity } = from;
          const measured = aggregation === 'count' || aggregation === 'unique' ? {} : { value };
          expect(into).to.deep.equal({
            ...emptyAccumulator(),
            ...{ count, f0, f1, f2, f3 },
            ...measured,
            ...(aggregation === 'timeWeightedSum' ? { moment } : {}),
            ...(aggregation === 'latest' ? { time, identity } : {}),
          });
        }),
        { numRuns: 100 },
      );
    });

    it(`of ${aggregation} added to a stored cell gives the bytes of the cell packed at once`, () => {
      const minutes = fc.uniqueArray(fc.nat({ max: 59 }), { minLength: 1, maxLength: 6 });
      fc.assert(
        fc.property(minutes, accumulators, fc.nat(), (all, accumulator, cut) => {
          const small = { ...accumulator, count: (accumulator.count % 1_000) + 1 };
          const changes = all.map((minute) => ({ minute, accumulator: small }));
          const [first, second] = [
            changes.slice(0, cut % (all.length + 1)),
            changes.slice(cut % (all.length + 1)),
          ];
          const once = addToHourCell(undefined, aggregation, changes);
          const twice =
            first.length === 0
              ? once
              : addToHourCell(addToHourCell(undefined, aggregation, first), aggregation, second);
          expect(twice).to.deep.equal(once);
          expect(packHourCell(aggregation, unpackHourCell(aggregation, once))).to.deep.equal(once);
        }),
        { numRuns: 60 },
      );
    });
  }
});
