import { expect } from 'chai';
import { PRICE_CURVE_POINTS_MAX, PRICE_EVALUATION_USAGE_MAX, TIERS_PER_PRICE_MAX } from '#domain/limits.ts';
import type { EvaluatedPrice } from '#domain/pricing/evaluation.ts';
import type { PriceCurve } from '#domain/pricing/price-curve.ts';
import { withApi, type ApiAnswer, type TestApi } from '#test/support/api-server.ts';
import { evaluationsOf, expectPrices, pricingVectors } from '#test/vectors/pricing.ts';

const EVALUATE = '/v1/prices/evaluate';
const CURVE = '/v1/prices/curve';

const post = ({ call }: TestApi, path: string, body: unknown): Promise<ApiAnswer> =>
  call({ method: 'POST', path, body });

async function answered(on: TestApi, path: string, body: unknown): Promise<unknown> {
  const answer = await post(on, path, body);
  expect(answer.status, answer.text.slice(0, 500)).to.equal(200);
  return answer.body;
}

const evaluated = async (on: TestApi, body: unknown): Promise<EvaluatedPrice> =>
  (await answered(on, EVALUATE, body)) as EvaluatedPrice;

const curve = async (on: TestApi, body: unknown): Promise<PriceCurve> =>
  (await answered(on, CURVE, body)) as PriceCurve;

/** Status and code of a refusal, and each violation as pointer and code. */
async function refused(on: TestApi, path: string, body: unknown): Promise<string[]> {
  const { status, body: problem, text } = await post(on, path, body);
  expect(status, text.slice(0, 500)).to.be.within(400, 499);
  const { code, violations = [] } = problem as {
    code: string;
    violations?: { pointer: string; code: string }[];
  };
  return [`${status} ${code}`, ...violations.map((each) => `${each.pointer} ${each.code}`)];
}

const perUnit = (unitPrice: unknown) => ({ model: 'perUnit', unitPrice });
const GRADUATED = {
  model: 'graduated',
  tiers: [
    { upTo: '10', unitPrice: '3' },
    { upTo: null, unitPrice: '1', flatFee: '5' },
  ],
};
const question = (price: unknown, quantity: unknown, more: object = {}) => ({
  currency: 'USD',
  charge: { price },
  usage: { quantity },
  ...more,
});

describe('POST /v1/prices/evaluate', () => {
  it("answers other systems' cases as they assert them", () =>
    withApi(async (on) => {
      for (const vector of pricingVectors) {
        const answers: EvaluatedPrice[] = [];
        for (const each of evaluationsOf(vector)) answers.push(await evaluated(on, each));
        expectPrices(vector, answers);
      }
    }));

  it('answers lines that sum to the amount, with the working of each', () =>
    withApi(async (on) => {
      const charge = {
        key: 'tokens',
        name: 'Tokens',
        price: GRADUATED,
        quantity: { divideBy: '100', rounding: 'ceiling', free: '2' },
        discount: { percent: '10', amount: '1.005' },
        maximum: '100',
        minimum: '60',
      };
      const usage = { quantity: '1390.5' };
      expect(await evaluated(on, { currency: 'EUR', charge, usage })).to.deep.equal({
        amount: '60',
        currency: 'EUR',
        lines: [
          { kind: 'usage', description: 'Tokens', quantity: '12', unitPrice: null, amount: '37' },
          { kind: 'discount', description: '10 % discount', quantity: null, unitPrice: null, amount: '-3.7' },
          { kind: 'discount', description: 'discount', quantity: null, unitPrice: null, amount: '-1' },
          {
            kind: 'minimum',
            description: 'true-up to the minimum',
            quantity: null,
            unitPrice: null,
            amount: '27.7',
          },
        ],
        working: [
          {
            stage: 'quantity',
            measured: '1390.5',
            measuredBefore: '0',
            converted: '14',
            free: '2',
            from: '0',
            to: '12',
          },
          {
            stage: 'price',
            model: 'graduated',
            parts: [
              { kind: 'usage', label: 'tier 1', tier: 1, quantity: '10', unitPrice: '3', amount: '30' },
              {
                kind: 'fixed',
                label: 'flat fee of tier 2',
                tier: 2,
                quantity: '1',
                unitPrice: '5',
                amount: '5',
              },
              { kind: 'usage', label: 'tier 2', tier: 2, quantity: '2', unitPrice: '1', amount: '2' },
            ],
            amount: '37',
          },
          { stage: 'percentDiscount', percent: '10', amount: '33.3' },
          { stage: 'fixedDiscount', available: '1.005', amount: '32.295' },
          { stage: 'maximum', maximum: '100', billedBefore: '0', amount: '32.295' },
          {
            stage: 'rounding',
            scope: 'line',
            decimals: 2,
            rounding: 'halfUp',
            amount: '32.295',
            rounded: '32.3',
          },
          { stage: 'minimum', minimum: '60', billedBefore: '0', reached: '32.3', trueUp: '27.7' },
        ],
      });
    }));

  it('takes every kind of usage and every option, numbers as text or JSON numbers, and null for what is left out', () =>
    withApi(async (on) => {
      const amountOf = async (body: unknown): Promise<string> => (await evaluated(on, body)).amount;
      const nothing = {
        before: null,
        segment: null,
        mode: null,
        rounding: null,
        scale: null,
        fraction: null,
        date: null,
      };
      expect(await amountOf(question(GRADUATED, 12, nothing))).to.equal('37');
      const events = [
        { value: 40, dimensions: null },
        { value: '60', dimensions: { a: 'b' } },
      ];
      const percentage = { model: 'percentage', percent: '2', freeEvents: 1 };
      expect(await amountOf(question(percentage, '0', { usage: { events } }))).to.equal('1.2');
      const matrix = { model: 'matrix', dimensions: ['a'], cells: [{ match: { a: 'x' }, unitPrice: 0.5 }] };
      const groups = [{ dimensions: { a: 'x' }, quantity: '3' }];
      expect(await amountOf(question(matrix, '0', { usage: { groups } }))).to.equal('1.5');
      const fee = { model: 'flat', amount: '10' };
      expect(await amountOf(question(fee, '0', { usage: { seats: '3' }, fraction: 0.25 }))).to.equal('7.5');
      const volume = { model: 'volume', tiers: GRADUATED.tiers };
      expect(
        await amountOf(question(volume, '4', { usage: { quantity: '4', tierQuantity: '11' } })),
      ).to.equal('9');
      const before = { quantity: '8', amount: '24' };
      expect(await amountOf(question(GRADUATED, '4', { before, segment: 'last' }))).to.equal('13');
      expect(await amountOf(question(GRADUATED, '12', { before, mode: 'cumulative' }))).to.equal('13');
      const thirds = question(perUnit('0.333333'), 1);
      expect(await amountOf({ ...thirds, rounding: 'none' })).to.equal('0.333333');
      expect(await amountOf({ ...thirds, scale: 4 })).to.equal('0.3333');
      const rates = [{ from: '2026-03-10', price: perUnit('2') }];
      const dated = (date: string | null) => ({
        ...question(perUnit('1'), '7'),
        charge: { price: perUnit('1'), rates },
        date,
      });
      expect(await amountOf(dated('2026-03-09'))).to.equal('7');
      expect(await amountOf(dated('2026-03-10'))).to.equal('14');
      expect(await amountOf(dated(null))).to.equal('7');
    }));

  it('reads numbers digit by digit, whatever a double can hold', () =>
    withApi(async (on) => {
      const body = `{"currency":"USD","charge":{"price":{"model":"perUnit","unitPrice":0.30000000000000004}},
        "usage":{"quantity":9007199254740993},"rounding":"none"}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await on.call({ method: 'POST', path: EVALUATE, body, headers });
      expect(answer.body).to.include({ amount: '2702159776422298.26028797018963972' });
    }));

  it('names everything that is wrong at once', () =>
    withApi(async (on) => {
      const charge = {
        price: {
          model: 'graduated',
          tiers: [
            { upTo: '10', unitPrice: 'ten' },
            { upTo: '5', unitPrice: '-1' },
          ],
        },
        rates: [{ from: '2026-02-31', price: { model: 'package', size: '0', price: '1' } }],
        quantity: { divideBy: '0', free: '-1' },
        discount: { percent: '101', amount: 'x' },
        minimum: '2',
        maximum: '1',
      };
      expect(
        await refused(on, EVALUATE, {
          currency: 'EURO',
          charge,
          usage: { quantity: 'many' },
          before: { quantity: '1e3', amount: '', events: -1 },
          scale: 19,
          fraction: '1.5',
          date: '2026-13-01',
        }),
      ).to.deep.equal([
        '400 invalid_query',
        '/currency unknown_currency',
        '/charge/price/tiers/0/unitPrice not_a_decimal',
        '/charge/price/tiers/1/unitPrice below_zero',
        '/charge/price/tiers/1/upTo tiers_not_ascending',
        '/charge/price/tiers/1/upTo last_tier_bounded',
        '/charge/rates/0/from not_a_date',
        '/charge/rates/0/price/size not_above_zero',
        '/charge/quantity/divideBy not_above_zero',
        '/charge/quantity/free below_zero',
        '/charge/discount/percent percent_over_hundred',
        '/charge/discount/amount not_a_decimal',
        '/charge/minimum minimum_over_maximum',
        '/usage/quantity not_a_decimal',
        '/before/quantity not_a_decimal',
        '/before/amount not_a_decimal',
        '/before/events not_a_whole_number',
        '/scale out_of_range',
        '/fraction fraction_over_one',
        '/date not_a_date',
      ]);
    }));

  it('refuses usage that the price cannot use, and says what it needs', () =>
    withApi(async (on) => {
      const of = (price: unknown, more: object = {}): Promise<string[]> =>
        refused(on, EVALUATE, question(price, '1', more));
      const groups = [{ dimensions: {}, quantity: '1' }];
      const matrix = { model: 'matrix', dimensions: ['a'], cells: [] };
      const percentage = { model: 'percentage', percent: '1', feePerEvent: '1' };
      expect(await of(matrix)).to.deep.equal(['400 invalid_query', '/usage groups_needed']);
      expect(await of(percentage)).to.deep.equal(['400 invalid_query', '/usage events_needed']);
      expect(await of(percentage, { usage: { groups } })).to.deep.equal([
        '400 invalid_query',
        '/usage events_needed',
      ]);
      expect(await of(matrix, { usage: { seats: '1' } })).to.deep.equal([
        '400 invalid_query',
        '/usage/seats seats_not_priced',
      ]);
      const before = { quantity: '1', amount: '3' };
      expect(await of(GRADUATED, { usage: { groups }, before })).to.deep.equal([
        '400 invalid_query',
        '/before/groups groups_needed',
      ]);
      const charge = {
        price: perUnit('1'),
        quantity: { free: '1' },
        rates: [{ from: '2026-01-01', price: { model: 'dynamic' } }],
      };
      expect(await of(null, { charge, date: '2026-01-01' })).to.deep.equal([
        '400 invalid_query',
        '/charge/quantity/free free_units_of_events',
      ]);
    }));

  it('bounds what one call may cost', () =>
    withApi(async (on) => {
      const unit = { dimensions: {}, quantity: '1' };
      const groups = Array.from({ length: PRICE_EVALUATION_USAGE_MAX + 1 }, () => unit);
      expect(await refused(on, EVALUATE, question(perUnit('1'), '1', { usage: { groups } }))).to.deep.equal([
        '400 invalid_query',
        '/usage/groups too_many',
      ]);
      const tiers = Array.from({ length: TIERS_PER_PRICE_MAX }, (_, at) => ({
        upTo: at === TIERS_PER_PRICE_MAX - 1 ? null : String(at + 1),
        unitPrice: '1',
      }));
      const many = groups.slice(0, 100);
      const graduated = { model: 'graduated', tiers };
      expect(
        await refused(on, EVALUATE, question(graduated, '1', { usage: { groups: many } })),
      ).to.deep.equal(['400 invalid_query', '/usage/groups too_many']);
      const over = { charge: { price: graduated, tiersOver: 'total' }, usage: { groups: many } };
      expect(await evaluated(on, { currency: 'USD', ...over })).to.include({ amount: '100' });
      const more = { ...graduated, tiers: [...tiers.slice(0, -1), { upTo: '2000' }, { upTo: null }] };
      expect(await refused(on, EVALUATE, question(more, '1'))).to.deep.equal([
        '400 invalid_query',
        '/charge/price/tiers too_many_tiers',
      ]);
    }));

  it('takes hostile numbers, names and shapes for what they are', () =>
    withApi(async (on) => {
      const long = '9'.repeat(300);
      for (const number of [
        '1e400',
        'NaN',
        'Infinity',
        '0x10',
        ' 1',
        '1,5',
        '--1',
        '٣',
        '',
        long.slice(0, 200),
      ])
        expect((await refused(on, EVALUATE, question(perUnit(number), number)))[0]).to.equal(
          '400 invalid_query',
        );
      for (const shape of [long, null, true, [], {}, { model: 'perUnit' }, { model: 'constructor' }])
        expect((await refused(on, EVALUATE, question(shape, '1')))[0]).to.equal('400 invalid_request');
      const dimensions = { constructor: 'x', toString: '' };
      const matrix = { model: 'matrix', dimensions: ['constructor'], cells: [], defaultUnitPrice: '2' };
      const groups = [
        { dimensions, quantity: '-0' },
        { dimensions, quantity: '2' },
      ];
      expect(await evaluated(on, question(matrix, '1', { usage: { groups } }))).to.include({ amount: '4' });
      const name = JSON.parse('{"__proto__":"x"}') as object;
      expect(
        (
          await refused(
            on,
            EVALUATE,
            question(matrix, '1', { usage: { groups: [{ dimensions: name, quantity: '1' }] } }),
          )
        )[0],
      ).to.equal('400 invalid_request');
      const huge = '9'.repeat(30);
      expect(await evaluated(on, question(perUnit(huge), huge))).to.include({
        amount: '999999999999999999999999999998000000000000000000000000000001',
      });
    }));
});

describe('POST /v1/prices/curve', () => {
  it('answers points at even steps, and on both sides of where the price bends', () =>
    withApi(async (on) => {
      const body = { currency: 'USD', charge: { price: GRADUATED }, to: '20', steps: 2 };
      expect(await curve(on, { ...body, from: null, date: null })).to.deep.equal({
        currency: 'USD',
        points: [
          { quantity: '0', amount: '0', average: null },
          { quantity: '0.000000000000000001', amount: '0.000000000000000003', average: '3' },
          { quantity: '10', amount: '30', average: '3' },
          { quantity: '10.000000000000000001', amount: '35.000000000000000001', average: '3.5' },
          { quantity: '20', amount: '45', average: '2.25' },
        ],
      });
    }));

  it('says of one point what the calculator says', () =>
    withApi(async (on) => {
      const charge = { price: GRADUATED, quantity: { free: '3' }, discount: { percent: '10' }, minimum: '8' };
      const { points } = await curve(on, { currency: 'JPY', charge, from: 1, to: 33.5, steps: 7 });
      for (const { quantity, amount } of points) {
        const one = await evaluated(on, { currency: 'JPY', charge, usage: { quantity }, rounding: 'none' });
        expect(one.amount, quantity).to.equal(amount);
      }
    }));

  it('names everything that is wrong at once, and what has no curve', () =>
    withApi(async (on) => {
      expect(
        await refused(on, CURVE, {
          currency: 'XAX',
          charge: { price: perUnit('x') },
          from: '5',
          to: '5',
          steps: PRICE_CURVE_POINTS_MAX + 1,
          date: '2026-02-29',
        }),
      ).to.deep.equal([
        '400 invalid_query',
        '/currency unknown_currency',
        '/charge/price/unitPrice not_a_decimal',
        '/to range_empty',
        '/steps out_of_range',
        '/date not_a_date',
      ]);
      for (const price of [
        { model: 'matrix', dimensions: ['a'], cells: [] },
        { model: 'percentage', percent: '1', freeEvents: '2' },
      ])
        expect(await refused(on, CURVE, { currency: 'USD', charge: { price }, to: '5' })).to.deep.equal([
          '400 invalid_query',
          '/charge/price no_curve',
        ]);
    }));
});
