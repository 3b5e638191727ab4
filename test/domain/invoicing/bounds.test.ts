import { expect } from 'chai';
import fc from 'fast-check';
import { missingToMinimum, overMaximum } from '#domain/invoicing/bounds.ts';
import { isoCurrency } from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import {
  add,
  greater,
  lesser,
  noMoney,
  parseMoney,
  subtract,
  sum,
  toMoneyText,
} from '#domain/money/money.ts';
import { amounts } from './arbitrary-terms.ts';

const euro = isoCurrency('EUR');
const inEuro = (text: string) => parseMoney(euro, text);
const over = (maximum: string, lines: string[], before = '0'): string[] =>
  overMaximum(inEuro(maximum), lines.map(inEuro), inEuro(before)).map(toMoneyText);

describe('the maximum of an invoice', () => {
  it('lets lines through in their order until there is no room, and counts what was billed before', () => {
    expect(over('100', ['60', '60', '5'])).to.deep.equal(['0', '20', '5']);
    expect(over('100', ['100'], '35')).to.deep.equal(['35']);
    expect(over('100', ['1'], '120')).to.deep.equal(['1']);
  });

  it('leaves a line below 0 alone, which makes room for those after it', () => {
    expect(over('100', ['120', '-30', '50'])).to.deep.equal(['20', '0', '20']);
  });

  it('bills the lesser of the lines and the room that there is, and never takes more than a line has', () => {
    fc.assert(
      fc.property(fc.array(amounts(euro)), amounts(euro), amounts(euro), (lines, maximum, before) => {
        const taken = overMaximum(maximum, lines, before);
        const room = greater(noMoney(euro), subtract(maximum, before));
        const billed = subtract(sum(euro, lines), sum(euro, taken));
        expect(toMoneyText(billed)).to.equal(toMoneyText(lesser(sum(euro, lines), room)));
        taken.forEach(({ amount }, at) => {
          expect(amount.isNegative() && !amount.isZero()).to.equal(false);
          expect(amount.lessThanOrEqualTo(lines[at]!.amount)).to.equal(true);
        });
      }),
    );
  });
});

describe('the minimum of an invoice', () => {
  it('is reached with what is missing, and with nothing more', () => {
    expect(toMoneyText(missingToMinimum(inEuro('1000'), inEuro('100')))).to.equal('900');
    fc.assert(
      fc.property(amounts(euro), amounts(euro, -20n), (minimum, billed) => {
        const reached = add(billed, missingToMinimum(minimum, billed));
        expect(toMoneyText(reached)).to.equal(toMoneyText(greater(minimum, billed)));
        expect(missingToMinimum(minimum, minimum).amount.eq(new Decimal(0))).to.equal(true);
      }),
    );
  });
});
