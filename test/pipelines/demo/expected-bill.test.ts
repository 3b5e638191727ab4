import { expect } from 'chai';
import fc from 'fast-check';
import { billUsage } from '#domain/invoicing/bill-usage.ts';
import { Decimal } from '#domain/money/decimal.ts';
import type { Usage } from '#domain/pricing/usage.ts';
import { compareBill } from '#pipelines/demo/bill-check.ts';
import type { FileCharge } from '#pipelines/demo/charges-file.ts';
import type { Fact } from '#pipelines/demo/data-set.ts';
import { billIndependently } from '#pipelines/demo/expected-bill.ts';
import { factOf } from './facts.ts';

const meters = {
  tokens: {
    name: 'Tokens',
    eventType: 'llm.request',
    aggregation: 'sum' as const,
    value: 'tokens',
    dimensions: { region: 'region' },
  },
};

const REGIONS = ['eu', 'us', ''] as const;
const eventOf = (tokens: number | string, region = 'eu', id = `e-${tokens}-${region}`): Fact =>
  factOf(id, { data: { tokens, ...(region === '' ? {} : { region }) } });

const charging = (charge: Partial<FileCharge> & Pick<FileCharge, 'price'>): FileCharge => ({
  key: 'tokens',
  name: 'Tokens',
  meter: 'tokens',
  ...charge,
});

const independently = (charge: FileCharge, facts: readonly Fact[], currency = 'USD') => {
  const { lines, total } = billIndependently({ meters }, { currency, charges: [charge] }, facts);
  return { ...Object.fromEntries(lines), total };
};

const tiers = [
  { upTo: '100', unitPrice: '0.05', flatFee: '1' },
  { upTo: null, unitPrice: '0.03', flatFee: '2' },
];

describe('the independent bill', () => {
  it('comes to what is computed by hand, for every model', () => {
    const of = (price: FileCharge['price'], tokens: number) =>
      independently(charging({ price }), [eventOf(tokens)]);
    expect(of({ model: 'flat', amount: '49.00' }, 7)).to.deep.equal({ 'tokens price': 4900n, total: 4900n });
    expect(of({ model: 'perUnit', unitPrice: '0.0333' }, 5).total).to.equal(17n);
    expect(of({ model: 'package', size: '10', price: '1.50' }, 11).total).to.equal(300n);
    expect(of({ model: 'graduated', tiers }, 0).total).to.equal(100n);
    expect(of({ model: 'graduated', tiers }, 100).total).to.equal(600n);
    expect(of({ model: 'graduated', tiers }, 150).total).to.equal(950n);
    expect(of({ model: 'volume', tiers }, 100).total).to.equal(600n);
    expect(of({ model: 'volume', tiers }, 150).total).to.equal(650n);
  });

  it('has a line for each group, and what no cell names at the default price', () => {
    const cells = [{ match: { region: 'eu' }, unitPrice: '0.30' }];
    const price = { model: 'matrix' as const, dimensions: ['region'], cells, defaultUnitPrice: '0.10' };
    const facts = [eventOf(1), eventOf(2), eventOf(4, 'us'), eventOf(8, '')];
    expect(independently(charging({ price }), facts)).to.deep.equal({
      'tokens price region=eu': 90n,
      'tokens price region=us': 40n,
      'tokens price region=': 80n,
      total: 210n,
    });
  });

  it('has a line for what a discount, the maximum and the minimum change, after conversion and free units', () => {
    const charge = charging({
      price: { model: 'perUnit', unitPrice: '1.25' },
      quantity: { divideBy: '1000', free: '2' },
      discount: { percent: '10', amount: '1' },
      maximum: '20',
      minimum: '15',
    });
    // 12.5 less 2 are 10.5, at 1.25 13.125; less 10 % 11.8125; less 1 10.8125; at least 15.
    expect(independently(charge, [eventOf(12_500)])).to.deep.equal({
      'tokens price': 1313n,
      'tokens discount': -232n,
      'tokens minimum': 419n,
      total: 1500n,
    });
    expect(independently(charge, [eventOf(22_000)])).to.include({ 'tokens maximum': -150n, total: 2000n });
  });

  it('is in whole minor units of its currency', () => {
    const charge = charging({ price: { model: 'perUnit', unitPrice: '0.5' } });
    expect(independently(charge, [eventOf(3)], 'JPY').total).to.equal(2n);
    expect(independently(charge, [eventOf(3)], 'BHD').total).to.equal(1_500n);
  });

  it('and the bill that the product makes of the same usage are equal, line by line, for any charge', () => {
    fc.assert(
      fc.property(chargeArbitrary, fc.array(eventArbitrary, { maxLength: 6 }), (charge, events) => {
        const facts = events.map(({ tokens, region }, index) => eventOf(tokens, region, String(index)));
        const bill = billOf(charge, events);
        const expected = billIndependently({ meters }, { currency: 'USD', charges: [charge] }, facts);
        expect(compareBill({ currency: 'USD', ...bill }, expected)).to.deep.equal([]);
      }),
      { numRuns: 500 },
    );
  });
});

interface Used {
  readonly tokens: string;
  readonly region: (typeof REGIONS)[number];
}

const sumOf = (events: readonly Used[]): Decimal =>
  events.reduce((sum, { tokens }) => sum.plus(tokens), new Decimal(0));

function usageFor({ price }: FileCharge, events: readonly Used[]): Usage {
  if (price.model !== 'matrix') return { quantity: sumOf(events) };
  const groups = [...Map.groupBy(events, ({ region }) => region)];
  return {
    groups: groups.map(([region, own]) => ({ dimensions: { region }, quantity: sumOf(own) })),
  };
}

const billOf = (charge: FileCharge, events: readonly Used[]): ReturnType<typeof billUsage> =>
  billUsage({
    currency: 'USD',
    timezone: 'UTC',
    period: { from: 0, to: 86_400_000_000 },
    charges: [charge],
    usage: new Map([[charge.key, [usageFor(charge, events)]]]),
  });

const decimal = (max: number, decimals: number): fc.Arbitrary<string> =>
  fc.nat(max * 10 ** decimals).map((units) => (units / 10 ** decimals).toFixed(decimals));
const aboveNothing = (max: number): fc.Arbitrary<string> => fc.integer({ min: 1, max }).map(String);

const eventArbitrary = fc.record({ tokens: decimal(300, 3), region: fc.constantFrom(...REGIONS) });

const tiersArbitrary = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 600 }), { maxLength: 4 }),
    fc.array(fc.record({ unitPrice: decimal(2, 4), flatFee: decimal(3, 2) }), { minLength: 5, maxLength: 5 }),
  )
  .map(([bounds, prices]) => {
    const upTo = [...bounds.sort((a, b) => a - b).map(String), null];
    return upTo.map((bound, index) => ({ upTo: bound, ...prices[index] }));
  });

const priceArbitrary: fc.Arbitrary<FileCharge['price']> = fc.oneof(
  decimal(50, 2).map((amount) => ({ model: 'flat' as const, amount })),
  decimal(2, 4).map((unitPrice) => ({ model: 'perUnit' as const, unitPrice })),
  fc.record({ model: fc.constantFrom('graduated' as const, 'volume' as const), tiers: tiersArbitrary }),
  fc.record({ model: fc.constant('package' as const), size: aboveNothing(100), price: decimal(5, 2) }),
  fc.tuple(decimal(2, 4), decimal(2, 4)).map(([unitPrice, defaultUnitPrice]) => ({
    model: 'matrix' as const,
    dimensions: ['region'],
    cells: [{ match: { region: 'us' }, unitPrice }],
    defaultUnitPrice,
  })),
);

const chargeArbitrary: fc.Arbitrary<FileCharge> = fc
  .record({
    price: priceArbitrary,
    // Quotients that end: one that does not is cut off somewhere by whoever does not count in fractions.
    divideBy: fc.constantFrom('1', '2', '8', '25', '1000'),
    free: decimal(50, 1),
    discount: fc.record({ percent: decimal(100, 1), amount: decimal(20, 2) }),
    bounds: fc.tuple(decimal(60, 2), decimal(60, 2)),
  })
  .map(({ price, divideBy, free, discount, bounds }) => {
    const [minimum, maximum] = bounds.sort((a, b) => Number(a) - Number(b));
    const quantity = price.model === 'matrix' ? { divideBy } : { divideBy, free };
    return charging({ price, quantity, discount, minimum, maximum });
  });
