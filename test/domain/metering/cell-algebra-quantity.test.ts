import { expect } from 'chai';
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import {
  add,
  compare,
  fromScaled,
  negate,
  parsePlainDecimal,
  subtract,
  times,
  toDecimalString,
  toScaled,
  type Quantity,
} from '#domain/metering/quantity.ts';
import { quantities } from './cell-algebra-quantities.ts';

const Exact = Decimal.clone({ precision: 200 });
const decimal = (quantity: Quantity): Decimal => new Exact(toDecimalString(quantity));

/** Equal quantities are the same value, and zero has no sign. */
const expectNormal = (quantity: Quantity): void => {
  expect(quantity).to.equal(fromScaled(toScaled(quantity)));
  expect(Object.is(quantity, -0)).to.equal(false);
};

describe('quantity algebra', () => {
  it('adds and subtracts as decimal.js does, exactly and in normal form', () => {
    fc.assert(
      fc.property(quantities, quantities, (a, b) => {
        expect(decimal(add(a, b)).eq(decimal(a).add(decimal(b)))).to.equal(true);
        expect(decimal(subtract(a, b)).eq(decimal(a).sub(decimal(b)))).to.equal(true);
        expectNormal(add(a, b));
        expectNormal(subtract(a, b));
      }),
      { numRuns: 1_000 },
    );
  });

  it('multiplies by whole numbers as decimal.js does, exactly and in normal form', () => {
    fc.assert(
      fc.property(quantities, fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -9, max: 9 })), (a, factor) => {
        expect(decimal(times(a, factor)).eq(decimal(a).mul(factor))).to.equal(true);
        expectNormal(times(a, factor));
      }),
      { numRuns: 1_000 },
    );
  });

  it('compares as decimal.js does', () => {
    fc.assert(
      fc.property(quantities, quantities, (a, b) => {
        expect(Math.sign(compare(a, b))).to.equal(decimal(a).cmp(decimal(b)));
        expect(compare(a, a)).to.equal(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is a commutative group under addition, so that usage can be taken back', () => {
    fc.assert(
      fc.property(quantities, quantities, quantities, (a, b, c) => {
        expect(add(a, b)).to.equal(add(b, a));
        expect(add(add(a, b), c)).to.equal(add(a, add(b, c)));
        expect(add(a, 0)).to.equal(a);
        expect(add(a, negate(a))).to.equal(0);
        expect(subtract(add(a, b), b)).to.equal(a);
      }),
      { numRuns: 1_000 },
    );
  });

  it('reads back what it wrote, as the same value', () => {
    fc.assert(
      fc.property(quantities, (a) => {
        // The range of what is read is a limit of input: a sum may go beyond it.
        if (decimal(a).abs().lt('1e20')) expect(parsePlainDecimal(toDecimalString(a))).to.equal(a);
        expect(toDecimalString(a)).to.equal(decimal(a).toFixed());
      }),
      { numRuns: 1_000 },
    );
  });
});
