import { expect } from 'chai';
import { formatAmount, formatExact, formatQuantity } from '#infra/documents/format-amount.ts';

describe('numbers of a document', () => {
  it('have all decimals of their currency, and are cut, as one can see, where they go on for longer than anybody reads', () => {
    expect([
      formatAmount('USD', '-1234.5'),
      formatAmount('JPY', '1200'),
      formatAmount('BHD', '3'),
    ]).to.deep.equal(['−1,234.50', '1,200', '3.000']);
    expect(formatExact('USD', '0.33333333333333')).to.equal('0.3333333333…');
    expect(formatExact('USD', '0.3333333333')).to.equal('0.3333333333');
  });

  it('are cut earlier in the column of quantities, which none may leave', () => {
    expect(formatQuantity('125.806451612903225806')).to.equal('125.806451…');
    expect(formatQuantity('-1234.123456')).to.equal('−1,234.123456');
    expect(formatQuantity('12345')).to.equal('12,345');
  });
});
