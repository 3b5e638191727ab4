import { expect } from 'chai';
import {
  DIMENSION_VALUE_BYTES_MAX,
  MATRIX_CELLS_MAX,
  METER_DIMENSIONS_MAX,
  RATES_PER_CHARGE_MAX,
  TIERS_PER_PRICE_MAX,
} from '#domain/limits.ts';
import type { Charge, MatrixCell, Price, Rate } from '#domain/pricing/charge.ts';
import { checkCharge } from '#domain/pricing/check-charge.ts';
import { prepareCharge } from '#domain/pricing/prepared-charge.ts';
import { PricingError } from '#domain/pricing/pricing-error.ts';

const faults = (charge: Charge): string[] =>
  checkCharge(charge).map(({ pointer, code }) => `${pointer} ${code}`);
const ofPrice = (price: Price): string[] => faults({ price });
const perUnit = (unitPrice = '1'): Price => ({ model: 'perUnit', unitPrice });
const cell = (match: Readonly<Record<string, string>>, unitPrice = '1'): MatrixCell => ({ match, unitPrice });

describe('checkCharge', () => {
  it('finds nothing wrong with a price of each model and every option', () => {
    const tiers = [{ upTo: '10', unitPrice: '1', flatFee: '2', blockSize: '5' }, { upTo: null }];
    const prices: Price[] = [
      { model: 'flat', amount: '0' },
      perUnit('0.000002'),
      { model: 'graduated', tiers },
      { model: 'volume', tiers },
      { model: 'package', size: '0.5', price: '1' },
      { model: 'percentage', percent: '250', feePerEvent: '1', minimumPerEvent: '2', maximumPerEvent: '2' },
      { model: 'graduatedPercentage', tiers: [{ upTo: null, percent: '1', flatFee: null }] },
      { model: 'matrix', dimensions: ['a', 'b'], cells: [cell({ b: '', a: 'x' })], defaultUnitPrice: null },
      { model: 'dynamic', multiplier: null },
    ];
    for (const price of prices)
      expect(
        faults({
          price,
          rates: [
            { from: '2024-02-29', price: perUnit() },
            { from: '2026-03-01', price },
          ],
          quantity: {
            conversion: { operation: 'multiply', factor: '2', rounding: 'up', decimals: -3 },
            free: '-0',
          },
          discount: { percent: '100', amount: '1' },
          minimum: '5',
          maximum: '5.0',
        }),
        price.model,
      ).to.deep.equal([]);
  });

  it('names every fault of a price by tiers at once', () => {
    for (const model of ['graduated', 'volume'] as const)
      expect(
        ofPrice({
          model,
          tiers: [
            { upTo: '0', unitPrice: '1' },
            { upTo: '20', unitPrice: '-1', flatFee: 'x' },
            { upTo: null, blockSize: '0' },
            { upTo: '20.0', unitPrice: `0.${'0'.repeat(30)}1` },
            { upTo: '20', flatFee: '1'.repeat(31) },
          ],
        }),
      ).to.deep.equal([
        '/price/tiers/0/upTo not_above_zero',
        '/price/tiers/1/unitPrice below_zero',
        '/price/tiers/1/flatFee not_a_decimal',
        '/price/tiers/2/blockSize not_above_zero',
        '/price/tiers/2/upTo tier_unbounded',
        '/price/tiers/3/unitPrice decimal_out_of_range',
        '/price/tiers/4/flatFee decimal_out_of_range',
        '/price/tiers/4/upTo tiers_not_ascending',
        '/price/tiers/4/upTo last_tier_bounded',
      ]);
    expect(
      ofPrice({ model: 'graduatedPercentage', tiers: [{ upTo: '5', percent: '-1', flatFee: '-1' }] }),
    ).to.deep.equal([
      '/price/tiers/0/percent below_zero',
      '/price/tiers/0/flatFee below_zero',
      '/price/tiers/0/upTo last_tier_bounded',
    ]);
    expect(ofPrice({ model: 'volume', tiers: [] })).to.deep.equal(['/price/tiers tiers_missing']);
  });

  it('names every fault of the other models at once', () => {
    expect(ofPrice({ model: 'flat', amount: '' })).to.deep.equal(['/price/amount not_a_decimal']);
    expect(ofPrice(perUnit('-0.1'))).to.deep.equal(['/price/unitPrice below_zero']);
    expect(ofPrice({ model: 'package', size: '0', price: '-1' })).to.deep.equal([
      '/price/size not_above_zero',
      '/price/price below_zero',
    ]);
    expect(ofPrice({ model: 'dynamic', multiplier: '1e2' })).to.deep.equal([
      '/price/multiplier not_a_decimal',
    ]);
    expect(
      ofPrice({
        model: 'percentage',
        percent: '1%',
        feePerEvent: '-1',
        freeEvents: '1.5',
        freeAmount: '-2',
        minimumPerEvent: '3',
        maximumPerEvent: '2',
      }),
    ).to.deep.equal([
      '/price/percent not_a_decimal',
      '/price/feePerEvent below_zero',
      '/price/freeEvents not_a_whole_number',
      '/price/freeAmount below_zero',
      '/price/minimumPerEvent minimum_over_maximum',
    ]);
    expect(
      ofPrice({
        model: 'matrix',
        dimensions: ['a', 'b', 'a'],
        cells: [
          cell({ a: 'x', b: '' }),
          cell({ a: 'x', b: '' }, '-1'),
          cell({ a: 'x', 'c/d': 'y'.repeat(DIMENSION_VALUE_BYTES_MAX + 1) }),
        ],
        defaultUnitPrice: '-1',
      }),
    ).to.deep.equal([
      '/price/dimensions/2 duplicate_dimension',
      '/price/cells/1/match duplicate_cell',
      '/price/cells/1/unitPrice below_zero',
      '/price/cells/2/match dimension_missing',
      '/price/cells/2/match/c~1d unknown_dimension',
      '/price/cells/2/match/c~1d too_long',
      '/price/cells/2/match duplicate_cell',
      '/price/defaultUnitPrice below_zero',
    ]);
    expect(ofPrice({ model: 'constructor' } as unknown as Price)).to.deep.equal([
      '/price/model unknown_model',
    ]);
  });

  it('names every fault of the stages at once, beside those of the price', () => {
    expect(
      faults({
        price: perUnit('x'),
        quantity: {
          divideBy: '0',
          rounding: 'up',
          conversion: { operation: 'divide', factor: '-1', decimals: 1.5 },
          free: '-1',
        },
        discount: { percent: '100.01', amount: '-1' },
        maximum: '-3',
        minimum: '-2',
      }),
    ).to.deep.equal([
      '/price/unitPrice not_a_decimal',
      '/quantity/divideBy not_above_zero',
      '/quantity/free below_zero',
      '/quantity/conversion/factor not_above_zero',
      '/quantity/conversion/decimals out_of_range',
      '/quantity/conversion two_conversions',
      '/discount/percent percent_over_hundred',
      '/discount/amount below_zero',
      '/maximum below_zero',
      '/minimum below_zero',
      '/minimum minimum_over_maximum',
    ]);
  });

  it('refuses days that no calendar has, days that do not ascend, and faulty prices by date', () => {
    const rate = (from: string, price = perUnit()): Rate => ({ from, price });
    expect(
      faults({
        price: perUnit(),
        rates: [
          rate('2026-02-31'),
          rate('2026-02-29'),
          rate('2026-03-01', perUnit('-1')),
          rate('2026-03-01'),
          rate('2026-13-01'),
          rate('2026-3-1'),
          rate('0000-00-00'),
        ],
      }),
    ).to.deep.equal([
      '/rates/0/from not_a_date',
      '/rates/1/from not_a_date',
      '/rates/1/from dates_not_ascending',
      '/rates/2/price/unitPrice below_zero',
      '/rates/3/from dates_not_ascending',
      '/rates/4/from not_a_date',
      '/rates/5/from not_a_date',
      '/rates/6/from not_a_date',
      '/rates/6/from dates_not_ascending',
    ]);
  });

  it('refuses free units of events, at whatever date the price is of events', () => {
    const dynamic: Price = { model: 'dynamic' };
    const quantity = { free: '1' };
    const code = ['/quantity/free free_units_of_events'];
    expect(faults({ price: dynamic, quantity })).to.deep.equal(code);
    expect(faults({ price: { model: 'percentage', percent: '1', freeEvents: '1' }, quantity })).to.deep.equal(
      code,
    );
    expect(
      faults({ price: perUnit(), quantity, rates: [{ from: '2026-01-01', price: dynamic }] }),
    ).to.deep.equal(code);
    expect(faults({ price: { model: 'percentage', percent: '1', freeAmount: '1' }, quantity })).to.deep.equal(
      [],
    );
    expect(faults({ price: dynamic, quantity: { free: '0' } })).to.deep.equal([]);
  });

  it('takes as many tiers, cells, dimensions and dates as the limits say, and no more', () => {
    const tiers = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ upTo: at === count - 1 ? null : String(at + 1) }));
    const cells = (count: number) => Array.from({ length: count }, (_, at) => cell({ a: String(at) }));
    const matrix = (count: number): Price => ({ model: 'matrix', dimensions: ['a'], cells: cells(count) });
    const wide = (count: number): Price => ({
      model: 'matrix',
      dimensions: Array.from({ length: count }, (_, at) => `d${at}`),
      cells: [],
    });
    const rates = (count: number): Rate[] =>
      Array.from({ length: count }, (_, at) => ({ from: `${2_000 + at}-01-01`, price: perUnit() }));
    expect(ofPrice({ model: 'graduated', tiers: tiers(TIERS_PER_PRICE_MAX) })).to.deep.equal([]);
    expect(ofPrice({ model: 'graduated', tiers: tiers(TIERS_PER_PRICE_MAX + 1) })).to.deep.equal([
      '/price/tiers too_many_tiers',
    ]);
    expect(ofPrice(matrix(MATRIX_CELLS_MAX))).to.deep.equal([]);
    expect(ofPrice(matrix(MATRIX_CELLS_MAX + 1))).to.deep.equal(['/price/cells too_many_cells']);
    expect(ofPrice(wide(METER_DIMENSIONS_MAX))).to.deep.equal([]);
    for (const count of [0, METER_DIMENSIONS_MAX + 1])
      expect(ofPrice(wide(count))).to.deep.equal(['/price/dimensions wrong_number_of_dimensions']);
    expect(faults({ price: perUnit(), rates: rates(RATES_PER_CHARGE_MAX) })).to.deep.equal([]);
    expect(faults({ price: perUnit(), rates: rates(RATES_PER_CHARGE_MAX + 1) })).to.deep.equal([
      '/rates too_many_rates',
    ]);
  });

  it('is asked before a charge is prepared', () => {
    const charge: Charge = { price: perUnit('x'), minimum: '-1' };
    expect(() => prepareCharge(charge))
      .to.throw(PricingError)
      .that.deep.includes({ code: 'invalid_charge', violations: checkCharge(charge) });
  });
});
