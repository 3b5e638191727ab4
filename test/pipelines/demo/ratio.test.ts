import { expect } from 'chai';
import fc from 'fast-check';
import { amountText, fromMinorUnits, inMinorUnits, isSame, ratioOf, wholeUp } from '#pipelines/demo/ratio.ts';

describe('the arithmetic of the demo', () => {
  it('rounds half a minor unit away from 0', () => {
    const rounded = ['1.005', '1.00499', '-1.005', '-0.004', '0'].map((text) =>
      inMinorUnits(ratioOf(text), 2),
    );
    expect(rounded).to.deep.equal([101n, 100n, -101n, 0n, 0n]);
    expect(inMinorUnits(ratioOf('0.5'), 0)).to.equal(1n);
  });

  it('begins a whole with any part of it', () => {
    expect(['0', '0.001', '1', '1.5'].map((text) => wholeUp(ratioOf(text)).over)).to.deep.equal([
      0n,
      1n,
      1n,
      2n,
    ]);
  });

  it('writes every amount so that it reads as the same', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.nat(4), (units, decimals) => {
        expect(isSame(ratioOf(amountText(units, decimals)), fromMinorUnits(units, decimals))).to.equal(true);
      }),
    );
    expect([amountText(-5n, 2), amountText(1_903n, 2), amountText(7n, 0)]).to.deep.equal([
      '-0.05',
      '19.03',
      '7',
    ]);
  });
});
