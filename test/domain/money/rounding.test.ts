import { expect } from 'chai';
import fc from 'fast-check';
import { Decimal, toDecimalText } from '#domain/money/decimal.ts';
import { MoneyError } from '#domain/money/money-error.ts';
import { ROUNDINGS, divide, round, type Rounding } from '#domain/money/rounding.ts';
import { decimals } from './decimals.ts';

const decimal = (text: string): Decimal => new Decimal(text);
const places = fc.integer({ min: -3, max: 8 });
const rounding = fc.constantFrom(...ROUNDINGS);

/** The two neighbours of an exact quotient on the grid, by whole numbers only; which of them is right follows from the name. */
function expectedUnits(numerator: bigint, denominator: bigint, name: Rounding): bigint {
  const [n, d] = denominator < 0n ? [-numerator, -denominator] : [numerator, denominator];
  const below = n >= 0n ? n / d : -((-n + d - 1n) / d);
  const rest = n - below * d;
  if (rest === 0n) return below;
  const towardZero = n >= 0n ? below : below + 1n;
  const away = n >= 0n ? below + 1n : below;
  const twice = 2n * rest;
  const nearest = twice < d ? below : twice > d ? below + 1n : undefined;
  const chosen: Record<Rounding, bigint> = {
    floor: below,
    ceiling: below + 1n,
    down: towardZero,
    up: away,
    halfUp: nearest ?? away,
    halfDown: nearest ?? towardZero,
    halfEven: nearest ?? (below % 2n === 0n ? below : below + 1n),
  };
  return chosen[name];
}

describe('rounding', () => {
  it('does to halves what its name says', () => {
    const table = ROUNDINGS.map((name) =>
      ['2.5', '2.51', '-2.5'].map((text) => round(decimal(text), 0, name).toNumber()),
    );
    expect(Object.fromEntries(ROUNDINGS.map((name, at) => [name, table[at]]))).to.deep.equal({
      halfUp: [3, 3, -3],
      halfDown: [2, 3, -2],
      halfEven: [2, 3, -2],
      up: [3, 3, -3],
      down: [2, 2, -2],
      ceiling: [3, 3, -2],
      floor: [2, 2, -3],
    });
  });

  it('is half away from zero where nothing is said, on ties that binary floats miss', () => {
    const ties = ['1.005', '10.005', '1.115', '0.225', '-0.005', '-1.005'];
    expect(ties.map((text) => toDecimalText(round(decimal(text), 2)))).to.deep.equal([
      '1.01',
      '10.01',
      '1.12',
      '0.23',
      '-0.01',
      '-1.01',
    ]);
  });

  it('never leaves a negative zero, and rounds to tens too', () => {
    expect(Object.is(round(decimal('-0.001'), 2).toNumber(), 0)).to.equal(true);
    expect(round(decimal('125'), -1).toNumber()).to.equal(130);
    expect(round(decimal('-4'), -1).toNumber()).to.equal(0);
  });
});

describe('division', () => {
  it('rounds the exact quotient once, in every mode', () => {
    fc.assert(
      fc.property(decimals(), decimals(), places, rounding, (dividend, divisor, kept, name) => {
        fc.pre(!divisor.isZero());
        // Both as whole numbers of the sixth decimal; then the quotient as whole numbers of the last decimal that is kept.
        const [n, d] = [dividend, divisor].map((value) => BigInt(value.times('1e6').toFixed(0)));
        const [up, down] = kept >= 0 ? [10n ** BigInt(kept), 1n] : [1n, 10n ** BigInt(-kept)];
        const units = expectedUnits(n! * up, d! * down, name);
        const found = divide(dividend, divisor, { decimals: kept, rounding: name });
        expect(toDecimalText(found)).to.equal(toDecimalText(new Decimal(`${units}e${-kept}`)));
      }),
    );
  });

  it('is not misled by a quotient that comes as near to a half as numbers allow', () => {
    const nines = decimal('0.' + '9'.repeat(30));
    const justBelow = divide(nines, decimal('2'), { decimals: 0, rounding: 'halfUp' });
    expect(justBelow.toNumber()).to.equal(0);
    const justAbove = divide(decimal('1.' + '0'.repeat(29) + '1'), decimal('2'), {
      decimals: 0,
      rounding: 'halfDown',
    });
    expect(justAbove.toNumber()).to.equal(1);
  });

  it('by 0 is an error with a name', () => {
    expect(() => divide(decimal('1'), decimal('0'), { decimals: 2, rounding: 'halfUp' }))
      .to.throw(MoneyError)
      .with.property('code', 'division_by_zero');
  });
});
