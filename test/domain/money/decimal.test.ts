import { expect } from 'chai';
import fc from 'fast-check';
import { Decimal, parseDecimal, readDecimal, toDecimalText } from '#domain/money/decimal.ts';
import { MoneyError } from '#domain/money/money-error.ts';

describe('a decimal', () => {
  it('is read digit by digit and written as it was, without what says nothing', () => {
    const kept = ['0', '-1.5', '0.000000000000000000000000000001', '9'.repeat(30) + '.' + '9'.repeat(30)];
    expect(kept.map((text) => toDecimalText(parseDecimal(text)))).to.deep.equal(kept);
    const written = ['-0', '007.50', '-0.000', `${'0'.repeat(60)}1.${'0'.repeat(60)}`];
    expect(written.map((text) => toDecimalText(parseDecimal(text)))).to.deep.equal(['0', '7.5', '0', '1']);
  });

  it('is refused with a code when it is none or has too many digits', () => {
    for (const text of ['', ' 1', '1.', '.5', '+1', '1e3', '0x10', 'NaN', 'Infinity', '1,5', '١', '1\n'])
      expect(readDecimal(text), text).to.equal('not_a_decimal');
    for (const text of ['1' + '0'.repeat(30), '0.' + '0'.repeat(30) + '1', '9'.repeat(100_000)])
      expect(readDecimal(text)).to.equal('decimal_out_of_range');
    expect(() => parseDecimal('1e3'))
      .to.throw(MoneyError)
      .with.property('code', 'not_a_decimal');
  });

  it('keeps every digit of sums and of products of eight numbers as large as they come in', () => {
    const digits = fc.bigInt({ min: -(10n ** 60n) + 1n, max: 10n ** 60n - 1n });
    fc.assert(
      fc.property(fc.array(digits, { minLength: 1, maxLength: 8 }), (numbers) => {
        const factors = numbers.map((number) => new Decimal(`${number}e-30`));
        const product = factors.reduce((all, each) => all.times(each));
        const expected = numbers.reduce((all, each) => all * each);
        expect(product.eq(new Decimal(`${expected}e-${30 * numbers.length}`))).to.equal(true);
        const sum = factors.reduce((all, each) => all.plus(each));
        expect(sum.eq(new Decimal(`${numbers.reduce((all, each) => all + each)}e-30`))).to.equal(true);
      }),
    );
  });

  it('shows no exponent, however small or large', () => {
    expect(toDecimalText(new Decimal('1e-40'))).to.match(/^0\.0{39}1$/);
    expect(String(new Decimal('1e40'))).to.match(/^10{40}$/);
  });
});
