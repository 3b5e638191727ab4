import { expect } from 'chai';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import type { PlanCharge, PlanVersion } from '#domain/plans/plan-version.ts';
import { monthlyFees } from '#domain/subscriptions/monthly-fees.ts';
import { planVersions } from '#domain/subscriptions/plan-versions.ts';
import { scheduleOf } from '#domain/subscriptions/schedule.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import { after, begin, versions } from './arbitrary-subscription.ts';

const at = (text: string): Instant => parseRfc3339(text)?.at ?? NaN;
const JAN = at('2026-01-01T00:00:00Z');
const FEB = at('2026-02-01T00:00:00Z');

/** What one fee comes to in a month. */
function monthly(fee: Partial<PlanCharge>, quantities: Record<string, string> = {}): string {
  const charge: PlanCharge = { key: 'fee', price: { model: 'flat', amount: '120' }, ...fee };
  const plan: PlanVersion = {
    plan: 'max',
    version: 1,
    state: 'active',
    currencies: ['USD'],
    phases: [{ key: 'main', charges: [charge] }],
  };
  const given = begin({ zone: 'UTC', start: JAN, ref: { plan: 'max', version: 1 } });
  const subscription: Subscription = { ...given, terms: [{ ...given.terms[0], quantities }] };
  return monthlyFees(subscription, planVersions([plan]), FEB).toFixed();
}

describe('what fees come to in a month', () => {
  it('is a part of longer periods and a multiple of shorter ones', () => {
    expect(monthly({})).to.equal('120');
    expect(monthly({ cadence: 'P1Y' })).to.equal('10');
    expect(monthly({ cadence: 'P3M' })).to.equal('40');
    // A month of 30.436875 days on average.
    expect(monthly({ cadence: 'P1W' })).to.equal('521.78');
    expect(monthly({ cadence: 'P1D' })).to.equal('3652.43');
  });

  it('is of all seats at the price of the day, with discounts', () => {
    const price = { model: 'perUnit', unitPrice: '3' } as const;
    expect(monthly({ price, seats: '4' })).to.equal('12');
    expect(monthly({ price, discount: { percent: '50' } }, { fee: '10' })).to.equal('15');
    const rates = [{ from: '2026-02-01', price: { model: 'flat' as const, amount: '200' } }];
    expect(monthly({ rates })).to.equal('200');
  });

  it('is nothing of usage, of what is due once, of what is paused, and before the start', () => {
    expect(monthly({ cadence: 'once' })).to.equal('0');
    expect(monthly({ meter: 'tokens', price: { model: 'perUnit', unitPrice: '1' } })).to.equal('0');
    const max = begin({ zone: 'UTC', start: JAN, ref: { plan: 'max', version: 1 } });
    expect(monthlyFees(max, versions, FEB).toFixed()).to.equal('135');
    expect(monthlyFees(after(max, { kind: 'pause', at: JAN }), versions, FEB).toFixed()).to.equal('0');
    expect(monthlyFees(max, versions, JAN - 1).toFixed()).to.equal('0');
  });
});

describe('the schedule of a subscription', () => {
  it('has what is ahead, and tells what a change planned from what phases bring', () => {
    const pro = after(begin({ zone: 'UTC', start: JAN }), {
      kind: 'change',
      at: FEB,
      quantities: { seats: '2' },
    });
    const shown = scheduleOf(pro, versions, JAN).map(({ from, undoable }) => [from, undoable]);
    expect(shown).to.deep.equal([
      [at('2026-01-15T00:00:00Z'), false],
      [FEB, true],
      [at('2026-03-15T00:00:00Z'), false],
    ]);
    expect(scheduleOf(pro, versions, at('2026-03-15T00:00:00Z'))).to.deep.equal([]);
  });

  it('leaves out what lies beyond all times that can be told', () => {
    const plan: PlanVersion = {
      plan: 'max',
      version: 1,
      state: 'active',
      currencies: ['USD'],
      phases: [
        { key: 'first', duration: 'P999Y', charges: [] },
        { key: 'last', charges: [] },
      ],
    };
    const max = begin({ zone: 'UTC', start: JAN, ref: { plan: 'max', version: 1 } });
    expect(scheduleOf(max, planVersions([plan]), JAN)).to.deep.equal([]);
  });
});
