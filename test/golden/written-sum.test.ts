import { expect } from 'chai';
import { minorUnits, readSum } from './written-sum.ts';

const computed = (sum: string, decimals = 2): bigint => readSum(`line: ${sum}`, decimals).computed;

describe('a sum by hand', () => {
  it('is computed exactly, and rounded once, half away from zero', () => {
    expect(computed('10 × 12 × 239 ÷ 743 − 120 = −81.40')).to.equal(-8140n);
    expect(computed('1 ÷ 3 × 3 × 0.005 = 0.01')).to.equal(1n);
    expect(computed('−0.005 = −0.01')).to.equal(-1n);
    expect(computed('0.00499 = 0')).to.equal(0n);
    expect(computed('2 × (3 + 4) − 20 ÷ (2 − 7) = 18', 0)).to.equal(18n);
    expect(computed('1,000.5 × 2 = 2,001', 3)).to.equal(2_001_000n);
  });

  it('has a label that ends with the first colon before a space', () => {
    expect(readSum('usage tokens kind=a:b: 1 + 1 = 2', 0)).to.deep.equal({
      label: 'usage tokens kind=a:b',
      computed: 2n,
      written: 2n,
    });
  });

  it('is refused where it is wrong, or is none', () => {
    const wrong = ['1 + 1 = 3', '2 × 3 = 7 = 6', '1 +', '(1 + 1 = 2', '1 ~ 1 = 1', '1 1 = 1', 'x = 1', '= 1'];
    for (const sum of wrong) expect(() => computed(sum), sum).to.throw(SyntaxError);
    expect(() => readSum('1 = 1', 2)).to.throw(SyntaxError);
    expect(() => minorUnits('0.001', 2)).to.throw(SyntaxError);
  });
});
