import { expect } from 'chai';
import { chargeOf, flat, inputsOfItem, invoiceOf, itemOf } from './invoice-builders.ts';

describe('a fee without proration', () => {
  const base = chargeOf('base', flat('30'), { timing: 'inArrears', proration: 'none' });

  it('in arrears is due as it ends, for all of its time, also where that is prorated', () => {
    const item = itemOf('fee', base, {
      segments: [
        {},
        {
          from: '2026-04-11',
          version: 2,
          price: flat('60'),
          charge: { proration: 'exact', price: flat('60') },
        },
      ],
    });
    const { lines } = invoiceOf([inputsOfItem(item)]);
    expect(lines.map(({ amount, period }) => [amount, period])).to.deep.equal([
      ['60', { from: item.period.from, to: item.period.to }],
    ]);
  });

  it('is for all of its item, whatever of that is paused', () => {
    const item = itemOf('fee', base);
    const [segment] = item.segments;
    const paused = { ...item, segments: [{ ...segment, to: segment.to - 1_000_000_000_000 }] as const };
    const { lines } = invoiceOf([inputsOfItem(paused)]);
    expect(lines.map(({ amount, period }) => [amount, period])).to.deep.equal([
      ['30', { from: item.period.from, to: item.period.to }],
    ]);
  });
});
