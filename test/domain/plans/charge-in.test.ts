import { expect } from 'chai';
import fc from 'fast-check';
import { chargeIn } from '#domain/plans/charge-in.ts';
import { withOverride } from '#domain/plans/charge-override.ts';
import { checkPlanCharge } from '#domain/plans/check-plan-charge.ts';
import type { PlanCharge } from '#domain/plans/plan-version.ts';
import { checkCharge } from '#domain/pricing/check-charge.ts';
import { tokensCharge } from './plans.ts';

const charge: PlanCharge = {
  ...tokensCharge,
  minimum: '5',
  discount: { percent: '10', amount: '1' },
  quantity: { free: '100' },
  rates: [{ from: '2026-06-01', price: { model: 'perUnit', unitPrice: '3' } }],
  inCurrency: {
    EUR: {
      price: { model: 'perUnit', unitPrice: '0.9' },
      rates: null,
      minimum: '4',
      discount: { amount: '0.8' },
    },
    JPY: { price: { model: 'package', size: '10', price: '1000' }, minimum: null, discount: null },
  },
};

describe('a charge in a currency', () => {
  it('is the charge itself in the first one, and names no other', () => {
    const { inCurrency: _, ...first } = charge;
    expect(chargeIn('USD', charge)).to.deep.equal(first);
  });

  it('has the money of that currency, and the percentage and quantities of all', () => {
    expect(chargeIn('EUR', charge)).to.deep.equal({
      key: 'tokens',
      meter: 'tokens',
      price: { model: 'perUnit', unitPrice: '0.9' },
      rates: null,
      quantity: { free: '100' },
      discount: { percent: '10', amount: '0.8' },
      maximum: null,
      minimum: '4',
    });
  });

  it('has no amount of another currency where its own says none', () => {
    const inYen = chargeIn('JPY', charge);
    expect(inYen).to.deep.include({ minimum: null, maximum: null, rates: null });
    expect(inYen.discount).to.deep.equal({ percent: '10', amount: null });
  });

  it('can be rated in each currency of the plan, if the plan has no fault', () => {
    const amount = fc.integer({ min: 0, max: 1_000 }).map(String);
    const money = fc.record({
      price: amount.map((unitPrice) => ({ model: 'perUnit' as const, unitPrice })),
      rates: fc.constant(null),
      discount: fc.option(fc.record({ percent: fc.option(amount), amount: fc.option(amount) })),
      maximum: fc.option(amount),
      minimum: fc.option(amount),
    });
    fc.assert(
      fc.property(money, fc.dictionary(fc.constantFrom('EUR', 'JPY'), money), (first, inCurrency) => {
        const said: PlanCharge = { key: 'tokens', meter: 'tokens', ...first, inCurrency };
        fc.pre(checkPlanCharge(said, ['USD', 'EUR', 'JPY']).length === 0);
        for (const currency of ['USD', 'EUR', 'JPY'])
          expect(checkCharge(chargeIn(currency, said)), currency).to.deep.equal([]);
      }),
    );
  });
});

describe('an override', () => {
  it('puts what it says in the place of the plan’s, on all dates, and leaves the rest', () => {
    const price = { model: 'perUnit', unitPrice: '2' } as const;
    const { inCurrency: _, ...first } = charge;
    expect(withOverride(first, undefined)).to.equal(first);
    expect(withOverride(first, { price })).to.deep.equal({ ...first, price, rates: null });
    expect(withOverride(first, { price: null, quantity: { free: '7' }, discount: null })).to.deep.equal({
      ...first,
      quantity: { free: '7' },
    });
  });
});
