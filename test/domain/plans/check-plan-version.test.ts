import { expect } from 'chai';
import fc from 'fast-check';
import { checkPlanVersion } from '#domain/plans/check-plan-version.ts';
import type { Phase, PlanCharge, PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import type { Price } from '#domain/pricing/charge.ts';
import { charging, definition, seatsCharge, tokensCharge } from './plans.ts';

const faultsOf = (version: PlanVersionDefinition): string[] =>
  checkPlanVersion(version).map(({ pointer, code }) => `${pointer} ${code}`);
const ofCharge = (charge: PlanCharge, currencies = ['USD']): string[] =>
  faultsOf(charging([charge], { currencies })).map((fault) => fault.replace('/phases/0/charges/0', ''));
const flat = (amount: string): Price => ({ model: 'flat', amount });
const fee = (said: Partial<PlanCharge>): PlanCharge => ({ key: 'fee', price: flat('20'), ...said });

describe('a version of a plan', () => {
  it('with a trial, a ramp, add-ons, bounds and several currencies has no fault', () => {
    const inCurrency = { JPY: { price: flat('3000') } };
    const ramp: Phase = {
      key: 'ramp',
      duration: 'P3M',
      charges: [fee({ inCurrency })],
      minimum: { amount: { USD: '50', JPY: '7000' } },
    };
    const version = definition({
      currencies: ['USD', 'JPY'],
      phases: [
        { key: 'trial', name: 'Trial', duration: 'P14D', charges: [{ ...tokensCharge, price: flat('0') }] },
        ramp,
        { key: 'rest', charges: [fee({ inCurrency }), { ...tokensCharge, price: { model: 'dynamic' } }] },
      ],
      addOns: [{ key: 'support', charges: [fee({ key: 'support', cadence: 'P1Y', inCurrency })] }],
      minimum: { amount: { USD: '100.50', JPY: '15000' }, cadence: 'P1Y', overageFactor: '1.5' },
      maximum: { amount: { USD: '1000', JPY: '150000' }, cadence: 'P1Y' },
      family: 'pro',
      spendThreshold: { USD: '500', JPY: '70000' },
    });
    expect(checkPlanVersion(version)).to.deep.equal([]);
  });

  it('tells everything that is wrong with it at once', () => {
    const version: PlanVersionDefinition = {
      currencies: ['USD', 'EURO', 'USD'],
      phases: [
        { key: 'Trial', name: '', charges: [{ ...tokensCharge, key: 'A b', price: flat('x') }] },
        { key: 'Trial', duration: 'P1M', charges: [fee({}), fee({})] },
      ],
      addOns: [
        { key: 'more', charges: [fee({})] },
        { key: 'more', charges: [] },
      ],
      family: 'No Family',
    };
    expect(faultsOf(version)).to.include.members([
      '/currencies/1 unknown_currency',
      '/currencies/2 duplicate_currency',
      '/phases/0/key invalid_key',
      '/phases/0/name empty',
      '/phases/0/duration duration_missing',
      '/phases/1/key duplicate_key',
      '/phases/1/duration last_phase_ends',
      '/addOns/1/key duplicate_key',
      '/phases/0/charges/0/key invalid_key',
      '/phases/0/charges/0/price/amount not_a_decimal',
      '/phases/1/charges/1/key duplicate_key',
      '/addOns/0/charges/0/key duplicate_key',
      '/family invalid_key',
    ]);
  });

  it('has a currency and a phase, and phases of whole minutes', () => {
    expect(faultsOf({ currencies: [], phases: [] })).to.deep.equal(['/currencies empty', '/phases empty']);
    const timed = (duration: string): string[] =>
      faultsOf(
        definition({
          phases: [
            { key: 'trial', duration, charges: [] },
            { key: 'rest', charges: [] },
          ],
        }),
      );
    for (const duration of ['P14D', 'PT90M', 'P1Y6M']) expect(timed(duration), duration).to.deep.equal([]);
    for (const duration of ['', 'PT90S', 'P0D', '14 days', 'once'])
      expect(timed(duration), duration).to.deep.equal(['/phases/0/duration invalid_duration']);
  });

  it('is refused by its size alone where it is larger than the limits', () => {
    const many = Array.from({ length: 51 }, (_, at) => fee({ key: `fee-${at}`, price: flat('x') }));
    expect(
      faultsOf(
        definition({
          phases: [
            { key: 'a', duration: 'P1M', charges: many },
            { key: 'b', charges: many },
          ],
        }),
      ),
    ).to.deep.equal([' too_many']);
    const tiers = Array.from({ length: 900 }, (_, at) => ({ upTo: String(at), flatFee: '9'.repeat(200) }));
    const large = Array.from({ length: 6 }, (_, at) =>
      fee({ key: `k${at}`, price: { model: 'volume', tiers } }),
    );
    expect(faultsOf(charging(large))).to.deep.equal([' too_large']);
  });

  it('has each charge once in a phase, and charges of add-ons under keys that no other has', () => {
    const twice = definition({
      phases: [
        { key: 'trial', duration: 'P1M', charges: [seatsCharge] },
        { key: 'rest', charges: [seatsCharge] },
      ],
    });
    expect(checkPlanVersion(twice)).to.deep.equal([]);
    const add = (key: string, charge: PlanCharge) => ({ key, charges: [charge] });
    expect(
      faultsOf(
        charging([seatsCharge], { addOns: [add('a', seatsCharge), add('b', fee({})), add('c', fee({}))] }),
      ),
    ).to.deep.equal(['/addOns/2/charges/0/key duplicate_key', '/addOns/0/charges/0/key duplicate_key']);
  });

  it('measures the same by a charge in all its phases', () => {
    const after = (charge: PlanCharge): string[] =>
      faultsOf(
        definition({
          phases: [
            { key: 'trial', duration: 'P1M', charges: [{ ...tokensCharge, key: 'fee' }] },
            { key: 'rest', charges: [charge] },
          ],
        }),
      );
    expect(after(fee({ meter: 'tokens', cadence: 'P1Y' }))).to.deep.equal([]);
    expect(after(fee({ meter: 'calls' }))).to.deep.equal(['/phases/1/charges/0/meter charge_differs']);
    expect(after(fee({}))).to.deep.equal(['/phases/1/charges/0/meter charge_differs']);
  });

  it('never fails to be judged, and says of each fault where it is', () => {
    const text = fc.constantFrom(
      'USD',
      'EUR',
      '__proto__',
      'constructor',
      '',
      'P1M',
      'once',
      '-1',
      '1e5',
      '0.001',
      'a/b~c',
    );
    const price = fc.oneof(
      text.map((amount) => ({ model: 'flat' as const, amount })),
      text.map((upTo) => ({ model: 'graduated' as const, tiers: [{ upTo }] })),
      text.map((name) => ({ model: 'matrix' as const, dimensions: [name], cells: [] })),
      text.map((percent) => ({ model: 'percentage' as const, percent })),
      text.map((model) => ({ model }) as unknown as Price),
    );
    const amounts = fc.array(fc.tuple(text, text), { maxLength: 3 }).map((all) => Object.fromEntries(all));
    const charge = fc.record(
      {
        key: text,
        price,
        meter: fc.option(text),
        cadence: fc.option(text),
        seats: fc.option(text),
        timing: fc.constantFrom('inAdvance' as const, 'inArrears' as const, null),
        inCurrency: fc.option(fc.dictionary(text, fc.record({ price }))),
      },
      { requiredKeys: ['key', 'price'] },
    );
    const bound = fc.option(
      fc.record({ amount: amounts, cadence: fc.option(text), overageFactor: fc.option(text) }),
    );
    const phase = fc.record({
      key: text,
      duration: fc.option(text),
      charges: fc.array(charge, { maxLength: 3 }),
      minimum: bound,
    });
    const version = fc.record({
      currencies: fc.array(text, { maxLength: 3 }),
      phases: fc.array(phase, { maxLength: 3 }),
      addOns: fc.option(
        fc.array(fc.record({ key: text, charges: fc.array(charge, { maxLength: 2 }) }), { maxLength: 2 }),
      ),
      minimum: bound,
      maximum: bound,
      spendThreshold: fc.option(amounts),
    });
    fc.assert(
      fc.property(version, (said) => {
        for (const { pointer, code, message } of checkPlanVersion(said)) {
          expect(pointer === '' || pointer.startsWith('/'), pointer).to.equal(true);
          expect(code).to.match(/^[a-z_]+$/);
          expect(message).to.not.equal('');
        }
      }),
    );
  });
});

describe('a charge of a plan', () => {
  it('comes again in whole minutes, once a day at most, or once for all', () => {
    for (const cadence of ['P1M', 'P1W', 'P1D', 'PT24H', 'once', null])
      expect(ofCharge(fee({ cadence }))).to.deep.equal([]);
    for (const cadence of ['PT1S', 'monthly', 'P0M', 'Once'])
      expect(ofCharge(fee({ cadence })), cadence).to.deep.equal(['/cadence invalid_duration']);
    for (const cadence of ['PT1M', 'PT23H59M'])
      expect(ofCharge(fee({ cadence })), cadence).to.deep.equal(['/cadence cadence_too_short']);
  });

  it('of usage is due when the usage is known, and again in each period', () => {
    expect(ofCharge({ ...tokensCharge, timing: 'inAdvance' })).to.deep.equal(['/timing usage_in_advance']);
    expect(ofCharge({ ...tokensCharge, cadence: 'once' })).to.deep.equal(['/cadence usage_not_once']);
    expect(ofCharge(fee({ cadence: 'once', timing: 'inArrears' }))).to.deep.equal([
      '/timing once_in_arrears',
    ]);
  });

  it('without a meter has no groups and no events to price', () => {
    const prices: Price[] = [
      { model: 'matrix', dimensions: ['model'], cells: [] },
      { model: 'percentage', percent: '3', feePerEvent: '0.3' },
      { model: 'dynamic' },
    ];
    for (const price of prices)
      expect(ofCharge(fee({ price })), price.model).to.include('/meter meter_needed');
    const later = fee({ rates: [{ from: '2027-01-01', price: { model: 'dynamic' } }] });
    expect(ofCharge(later)).to.deep.equal(['/meter meter_needed']);
  });

  it('has seats where its price is of units and nothing measures them', () => {
    expect(ofCharge({ ...seatsCharge, seats: '5' })).to.deep.equal([]);
    expect(ofCharge({ ...seatsCharge, seats: '-5' })).to.deep.equal(['/seats below_zero']);
    expect(ofCharge({ ...tokensCharge, seats: '5' })).to.deep.equal(['/seats seats_of_usage']);
    expect(ofCharge(fee({ seats: '5' }))).to.deep.equal(['/seats seats_of_flat_price']);
  });

  it('says its money in every currency of the plan, and in no other', () => {
    const both = ['USD', 'EUR'];
    expect(ofCharge(fee({}), both)).to.deep.equal(['/inCurrency/EUR currency_missing']);
    expect(ofCharge(fee({ price: flat('0') }), both), 'nothing is the same in all').to.deep.equal([]);
    const percentage: Price = { model: 'percentage', percent: '3' };
    expect(ofCharge({ ...tokensCharge, price: percentage }, both), 'so is a percentage').to.deep.equal([]);
    const inCurrency = { EUR: { price: flat('x') }, USD: { price: flat('1') }, GBP: { price: flat('1') } };
    expect(ofCharge(fee({ inCurrency }), both)).to.have.members([
      '/inCurrency/EUR/price/amount not_a_decimal',
      '/inCurrency/USD first_currency_twice',
      '/inCurrency/GBP currency_not_offered',
    ]);
  });

  it('forgets nothing in another currency that it has in the first', () => {
    const whole = fee({
      minimum: '5',
      maximum: '50',
      discount: { amount: '1' },
      rates: [{ from: '2027-01-01', price: flat('25') }],
    });
    const inEuro = (said: object) =>
      ofCharge({ ...whole, inCurrency: { EUR: { price: flat('18'), ...said } } }, ['USD', 'EUR']);
    expect(inEuro({})).to.deep.equal([
      '/inCurrency/EUR/rates currency_incomplete',
      '/inCurrency/EUR/maximum currency_incomplete',
      '/inCurrency/EUR/minimum currency_incomplete',
      '/inCurrency/EUR/discount currency_incomplete',
    ]);
    expect(inEuro({ rates: null, maximum: null, minimum: '4', discount: null })).to.deep.equal([]);
  });

  it('is judged in each currency together with what is the same in all', () => {
    const free: PlanCharge = {
      ...tokensCharge,
      quantity: { free: '10' },
      inCurrency: { EUR: { price: { model: 'dynamic' }, minimum: '9', maximum: '5' } },
    };
    expect(ofCharge(free, ['USD', 'EUR'])).to.deep.equal([
      '/inCurrency/EUR/price free_units_of_events',
      '/inCurrency/EUR/minimum minimum_over_maximum',
    ]);
  });

  it('names taxes that can be computed', () => {
    const vat = { code: 'vat', jurisdiction: 'DE', rate: '19' };
    expect(ofCharge(fee({ taxRates: [vat] }))).to.deep.equal([]);
    expect(ofCharge(fee({ taxRates: [] }))).to.deep.equal([]);
    expect(
      ofCharge(
        fee({
          taxRates: [
            { ...vat, code: '' },
            { ...vat, rate: 'x' },
          ],
        }),
      ),
    ).to.deep.equal(['/taxRates/0/code empty', '/taxRates/1/rate not_a_decimal']);
    expect(ofCharge(fee({ taxRates: [vat, vat, { ...vat, exemption: 'reverse_charge' }] }))).to.deep.equal([
      '/taxRates/1 duplicate_rate',
      '/taxRates/2/exemption exempt_rate_not_zero',
    ]);
    expect(ofCharge(fee({ taxRates: Array.from({ length: 11 }, () => vat) }))).to.deep.equal([
      '/taxRates too_many',
    ]);
  });
});

describe('the bounds of a plan', () => {
  const bounded = (said: Partial<PlanVersionDefinition>): string[] =>
    faultsOf(definition({ currencies: ['USD', 'JPY'], phases: [{ key: 'rest', charges: [] }], ...said }));

  it('are amounts that can be paid, in every currency of the plan and in no other', () => {
    expect(bounded({ minimum: { amount: { USD: '10.005', EUR: '10' } } })).to.deep.equal([
      '/minimum/amount/USD not_in_minor_units',
      '/minimum/amount/JPY currency_missing',
      '/minimum/amount/EUR currency_not_offered',
    ]);
    expect(bounded({ maximum: { amount: { USD: '-1', JPY: '1.5' } } })).to.deep.equal([
      '/maximum/amount/USD below_zero',
      '/maximum/amount/JPY not_in_minor_units',
    ]);
    expect(bounded({ spendThreshold: { USD: '5' } })).to.deep.equal(['/spendThreshold/JPY currency_missing']);
  });

  it('come again in periods of time, and overage is never cheaper', () => {
    const amount = { USD: '1', JPY: '1' };
    expect(bounded({ maximum: { amount, cadence: 'once' } })).to.deep.equal([
      '/maximum/cadence invalid_duration',
    ]);
    expect(bounded({ minimum: { amount, overageFactor: '0.9' } })).to.deep.equal([
      '/minimum/overageFactor overage_factor_below_one',
    ]);
  });

  it('are in order wherever they hold together', () => {
    const least = { amount: { USD: '10', JPY: '100' } };
    const most = { amount: { USD: '9.99', JPY: '100' } };
    expect(bounded({ minimum: least, maximum: most })).to.deep.equal([
      '/minimum/amount/USD minimum_over_maximum',
    ]);
    expect(
      bounded({ minimum: { ...least, cadence: 'P1Y' }, maximum: most }),
      'of different periods',
    ).to.deep.equal([]);
    const phases: Phase[] = [
      { key: 'a', duration: 'P1M', charges: [], maximum: most },
      { key: 'b', charges: [], minimum: least },
    ];
    expect(bounded({ phases, minimum: { amount: { USD: '0', JPY: '0' } }, maximum: most })).to.deep.equal([
      '/phases/1/minimum/amount/USD minimum_over_maximum',
    ]);
  });
});
