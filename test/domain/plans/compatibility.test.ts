import { expect } from 'chai';
import { checkChoice, type Choice } from '#domain/plans/check-choice.ts';
import { compatibility } from '#domain/plans/compatibility.ts';
import type { PlanCharge, PlanVersion } from '#domain/plans/plan-version.ts';
import { charging, planVersion, seatsCharge, tokensCharge } from './plans.ts';

const choice = (said: Partial<Choice> = {}): Choice => ({
  currency: 'USD',
  quantities: {},
  overrides: {},
  addOns: {},
  ...said,
});
const faultsOf = (version: PlanVersion, said: Partial<Choice>): string[] =>
  checkChoice(version, choice(said)).map(({ pointer, code }) => `${pointer} ${code}`);
const withCharges = (charges: readonly PlanCharge[], said: Partial<PlanVersion> = {}): PlanVersion =>
  planVersion({ ...charging(charges), ...said });
const between = (from: PlanVersion, to: PlanVersion, said: Partial<Choice> = {}) => {
  const { faults, notices } = compatibility(from, to, choice(said));
  return {
    faults: faults.map(({ pointer, code }) => `${pointer} ${code}`),
    notices: notices.map(({ code, key }) => (key === null ? code : `${code} ${key}`)),
  };
};

describe('what a subscription chooses of a version', () => {
  const version = planVersion({
    addOns: [{ key: 'support', charges: [{ ...seatsCharge, key: 'support' }] }],
  });

  it('fits a version that has all of it', () => {
    const price = { model: 'perUnit', unitPrice: '8' } as const;
    const said = {
      quantities: { seats: '5', support: '2' },
      overrides: { tokens: { price, discount: { percent: '50' } } },
      addOns: { support: '3' },
      anchor: { day: 31 },
    };
    expect(faultsOf(version, said)).to.deep.equal([]);
  });

  it('is refused with everything that the version does not have', () => {
    const said = {
      currency: 'EUR',
      quantities: { tokens: '5', gone: '1', seats: '-1' },
      addOns: { gone: '1', support: '1.5' },
      anchor: { weekday: 1 },
    };
    expect(faultsOf(version, said)).to.deep.equal([
      '/currency currency_not_offered',
      '/quantities/tokens charge_without_seats',
      '/quantities/gone unknown_charge',
      '/quantities/seats below_zero',
      '/addOns/gone unknown_add_on',
      '/addOns/support not_whole',
      '/anchor anchor_misfit',
    ]);
  });

  it('has overrides that the charge can be rated with', () => {
    const overrides = {
      gone: {},
      seats: { price: { model: 'dynamic' as const } },
      tokens: { price: { model: 'dynamic' as const }, quantity: { free: '5' }, discount: { percent: '101' } },
    };
    expect(faultsOf(version, { overrides })).to.deep.equal([
      '/overrides/gone unknown_charge',
      '/overrides/seats/price meter_needed',
      '/overrides/tokens/quantity/free free_units_of_events',
      '/overrides/tokens/discount/percent percent_over_hundred',
    ]);
  });

  it('has an anchor that every cadence of the version can be counted from', () => {
    const odd = planVersion({
      ...charging([
        { ...seatsCharge, cadence: 'P7M' },
        { ...tokensCharge, cadence: 'once' },
      ]),
    });
    expect(faultsOf(odd, { anchor: 'calendar' })).to.deep.equal(['/anchor anchor_required']);
    expect(faultsOf(odd, { anchor: 'start' })).to.deep.equal([]);
  });
});

describe('a change between versions', () => {
  it('of the same content says nothing, however it is written', () => {
    const from = planVersion();
    const { key, ...rest } = seatsCharge;
    const to = withCharges([tokensCharge, { discount: null, ...rest, key }], { version: 2, addOns: [] });
    expect(between(from, to)).to.deep.equal({ faults: [], notices: [] });
  });

  it('goes to active versions only, but what is on an archived one may stay', () => {
    const archived = planVersion({ state: 'archived' });
    expect(between(planVersion(), planVersion({ version: 2, state: 'draft' })).faults).to.deep.equal([
      '/version version_not_published',
    ]);
    expect(between(planVersion({ version: 2 }), archived).faults).to.deep.equal([
      '/version version_archived',
    ]);
    expect(between(archived, archived).faults).to.deep.equal([]);
  });

  it('is forbidden by what the subscription says and the new version does not have', () => {
    const from = planVersion({ addOns: [{ key: 'support', charges: [] }] });
    const to = withCharges([tokensCharge], { version: 2, currencies: ['EUR'] });
    const said = { quantities: { seats: '5' }, addOns: { support: '1' } };
    expect(between(from, to, said).faults).to.deep.equal([
      '/currency currency_not_offered',
      '/quantities/seats unknown_charge',
      '/addOns/support unknown_add_on',
    ]);
  });

  it('tells what is charged from then on, no more, or otherwise', () => {
    const from = withCharges([seatsCharge, tokensCharge, { ...seatsCharge, key: 'gone' }]);
    const to = withCharges(
      [
        { ...seatsCharge, cadence: 'P1Y', timing: 'inArrears' },
        { ...tokensCharge, price: { model: 'perUnit', unitPrice: '0.000003' } },
        { ...seatsCharge, key: 'new' },
      ],
      { version: 2, minimum: { amount: { USD: '10' } }, addOns: [{ key: 'support', charges: [] }] },
    );
    expect(between(from, to)).to.deep.equal({
      faults: [],
      notices: [
        'cadence_changes seats',
        'timing_changes seats',
        'price_changes tokens',
        'charge_removed gone',
        'charge_added new',
        'add_on_added support',
        'bounds_change',
      ],
    });
  });

  it('is told in the currency of the subscription', () => {
    const inCurrency = { EUR: { price: { model: 'perUnit', unitPrice: '9' } } } as const;
    const said = { currencies: ['USD', 'EUR'] };
    const from = withCharges([{ ...seatsCharge, inCurrency }], said);
    const to = withCharges(
      [{ ...seatsCharge, price: { model: 'perUnit', unitPrice: '11' }, inCurrency }],
      said,
    );
    expect(between(from, to).notices).to.deep.equal(['price_changes seats']);
    expect(between(from, to, { currency: 'EUR' }).notices).to.deep.equal([]);
  });

  it('cannot let one charge go on as another of its key within a family, and begins anew in another family', () => {
    const from = withCharges([tokensCharge]);
    const other = { ...tokensCharge, meter: 'calls' };
    expect(between(from, withCharges([other], { version: 2 }))).to.deep.equal({
      faults: ['/version charge_differs'],
      notices: ['charge_replaced tokens'],
    });
    expect(between(from, withCharges([other], { plan: 'team' }))).to.deep.equal({
      faults: [],
      notices: ['family_changes', 'charge_replaced tokens'],
    });
    expect(between(from, withCharges([tokensCharge], { plan: 'team', family: 'pro' }))).to.deep.equal({
      faults: [],
      notices: [],
    });
  });

  it('says when the phases are others', () => {
    const rest = { key: 'rest', charges: [] };
    const from = planVersion({ phases: [{ key: 'trial', duration: 'P14D', charges: [] }, rest] });
    const to = planVersion({ version: 2, phases: [{ key: 'trial', duration: 'P30D', charges: [] }, rest] });
    expect(between(from, to).notices).to.deep.equal(['phases_change']);
  });
});
