import { expect } from 'chai';
import { lateDelta } from '#domain/invoicing/late-delta.ts';
import { billedOf, chargeOf, flat, inputsOfItem, invoiceOf, itemOf, quantity } from './invoice-builders.ts';

const WHERE = { currency: 'EUR', timezone: 'UTC' };

const charge = chargeOf(
  'tokens',
  {
    model: 'graduated',
    tiers: [
      { upTo: '1000', unitPrice: '0.01' },
      { upTo: null, unitPrice: '0.02' },
    ],
  },
  { meter: 'tokens' },
);
const item = itemOf('usage', charge);
const billed = billedOf(item.id, invoiceOf([inputsOfItem(item, { usage: [quantity(1000)] })]));
const now = (units: number) => inputsOfItem(item, { usage: [quantity(units)], billed });

describe('the delta of late usage', () => {
  it('is what the period comes to now, in its own tiers, less what was billed of it', () => {
    expect(lateDelta(WHERE, now(1030))).to.deep.equal({
      item: item.id,
      charge: 'tokens',
      period: { from: item.period.from, to: item.period.to },
      due: '10.6',
      billed: '10',
      delta: '0.6',
    });
    expect(lateDelta(WHERE, now(900))?.delta).to.equal('-1');
  });

  it('is none where the amount is the same, and of what is no usage', () => {
    expect(lateDelta(WHERE, now(1000))).to.equal(undefined);
    const fee = itemOf('fee', chargeOf('base', flat('5')));
    expect(lateDelta(WHERE, inputsOfItem(fee))).to.equal(undefined);
  });
});
