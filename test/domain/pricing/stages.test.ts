import { expect } from 'chai';
import fc from 'fast-check';
import { Decimal, ZERO, toDecimalText } from '#domain/money/decimal.ts';
import { round } from '#domain/money/rounding.ts';
import type { Charge } from '#domain/pricing/charge.ts';
import { evaluatePrice } from '#domain/pricing/evaluate-price.ts';
import type { EvaluatedPrice, EvaluatedUsage, PriceEvaluation } from '#domain/pricing/evaluation.ts';
import type { PriceStage, WorkingStage } from '#domain/pricing/working.ts';
import {
  chargeOf,
  eventPrices,
  eventValues,
  quantities,
  quantityPrices,
  quantityRules,
  quantityText,
  stages,
} from './unit-by-unit.ts';

/* Every answer, computed again from its working and the charge alone. */

const RUNS = { numRuns: 1_500 };

const sumOf = (amounts: readonly (string | Decimal)[]): Decimal =>
  amounts.reduce<Decimal>((sum, each) => sum.plus(each), ZERO);
const of = (text: string | null | undefined): Decimal => new Decimal(text ?? '0');

const usage: fc.Arbitrary<EvaluatedUsage> = fc.oneof(
  quantities.map((tenths) => ({ quantity: quantityText(tenths) })),
  fc.array(fc.tuple(fc.constantFrom('eu', 'us', 'ap'), quantities), { maxLength: 4 }).map((groups) => ({
    groups: groups.map(([region, tenths]) => ({ dimensions: { region }, quantity: quantityText(tenths) })),
  })),
  fc
    .array(eventValues, { maxLength: 6 })
    .map((values) => ({ events: values.map((tenths) => ({ value: quantityText(tenths) })) })),
);

/** Any charge with usage that it can rate. */
const asked: fc.Arbitrary<Pick<PriceEvaluation, 'charge' | 'usage'>> = fc.oneof(
  fc.record({
    charge: fc
      .tuple(quantityPrices, quantityRules, stages)
      .map(([price, rule, extra]): Charge => ({ ...chargeOf(price, rule), ...extra })),
    usage,
  }),
  fc.record({
    charge: fc.tuple(eventPrices, stages).map(([price, extra]): Charge => ({ ...chargeOf(price), ...extra })),
    usage: fc
      .array(eventValues, { maxLength: 6 })
      .map((values) => ({ events: values.map((tenths) => ({ value: quantityText(tenths) })) })),
  }),
);

const stageOf = <Name extends WorkingStage['stage']>(
  { working }: EvaluatedPrice,
  name: Name,
): Extract<WorkingStage, { stage: Name }> | undefined =>
  working.find((stage): stage is Extract<WorkingStage, { stage: Name }> => stage.stage === name);

const priceStages = ({ working }: EvaluatedPrice): PriceStage[] =>
  working.filter((stage) => stage.stage === 'price');

/** Parts are quantities at their prices, and sum to their line. */
function expectParts({ parts, amount }: PriceStage): void {
  for (const { quantity, unitPrice, amount: own } of parts)
    if (unitPrice !== null) expect(toDecimalText(of(quantity).times(unitPrice))).to.equal(own);
  expect(toDecimalText(sumOf(parts.map((part) => part.amount)))).to.equal(amount);
}

/** What each stage takes and gives, recomputed; the amounts as the stages are said to be composed. */
function expectStages(answer: EvaluatedPrice, charge: Charge, decimals: number): void {
  const lines = priceStages(answer).map(({ amount }) => of(amount));
  const [only] = lines;
  const rounded = (value: Decimal): Decimal => round(value, decimals);
  let amount = lines.length === 1 && only ? only : sumOf(lines.map(rounded));
  const percent = stageOf(answer, 'percentDiscount');
  if (percent) {
    const rest = of('100').minus(of(charge.discount?.percent)).times('0.01');
    amount = lines.length === 1 ? amount.times(rest) : sumOf(lines.map((line) => rounded(line.times(rest))));
    expect(percent.amount).to.equal(toDecimalText(amount));
  }
  const fixed = stageOf(answer, 'fixedDiscount');
  if (fixed) {
    amount = Decimal.max(amount.minus(of(charge.discount?.amount)), 0);
    expect(fixed.amount).to.equal(toDecimalText(amount));
  }
  const maximum = stageOf(answer, 'maximum');
  expect(maximum === undefined).to.equal(charge.maximum == null);
  if (maximum) amount = Decimal.min(amount, of(charge.maximum));
  amount = rounded(amount);
  if (charge.minimum != null) {
    const trueUp = rounded(Decimal.max(of(charge.minimum).minus(amount), 0));
    expect(stageOf(answer, 'minimum')?.trueUp).to.equal(toDecimalText(trueUp));
    amount = amount.plus(trueUp);
  }
  expect(answer.amount).to.equal(toDecimalText(amount));
}

describe('the stages of a price', () => {
  it('can be computed again by hand from the working, and the lines sum to the amount', () => {
    fc.assert(
      fc.property(asked, fc.constantFrom(['JPY', 0], ['USD', 2], ['BHD', 3]), (question, currency) => {
        const [code, decimals] = currency as [string, number];
        const answer = evaluatePrice({ ...question, currency: code });
        for (const stage of priceStages(answer)) expectParts(stage);
        expectStages(answer, question.charge, decimals);
        expect(toDecimalText(sumOf(answer.lines.map(({ amount }) => amount)))).to.equal(answer.amount);
        for (const { amount } of answer.lines) expect(of(amount).decimalPlaces()).to.be.at.most(decimals);
      }),
      { numRuns: 3_000 },
    );
  });

  it('come to nothing where events are bounded to almost nothing, however parts are rounded', () => {
    const price = {
      model: 'percentage',
      percent: '3.39',
      feePerEvent: '0.7467',
      maximumPerEvent: '0.0001',
    } as const;
    const events = [{ value: '2.7' }, { value: '12.4' }];
    const { amount } = evaluatePrice({
      currency: 'USD',
      charge: { price },
      usage: { events },
      rounding: 'tier',
    });
    expect(amount).to.equal('0');
  });

  it('never leave less than nothing, more than the maximum, or less than the minimum', () => {
    fc.assert(
      fc.property(asked, fc.constantFrom('line', 'tier', 'none'), (question, rounding) => {
        const { charge } = question;
        const { amount } = evaluatePrice({ ...question, currency: 'USD', rounding });
        expect(of(amount).gte(0), amount).to.equal(true);
        if (charge.maximum != null)
          expect(
            of(amount).lte(round(of(charge.maximum), 2).plus(rounding === 'none' ? '0.01' : 0)),
          ).to.equal(true);
        if (charge.minimum != null)
          expect(
            of(amount).gte(round(of(charge.minimum), 2).minus(rounding === 'none' ? '0.01' : 0)),
          ).to.equal(true);
      }),
      RUNS,
    );
  });

  it('give ten times the amount for ten times the money, when there is one decimal less', () => {
    const tenfold = (value: unknown, name = ''): unknown => {
      if (Array.isArray(value)) return value.map((each: unknown) => tenfold(each));
      if (typeof value === 'object' && value !== null)
        return Object.fromEntries(
          Object.entries(value).map(([key, each]) => [
            // Of a discount, too, `percent` is a part of an amount.
            key,
            key === 'discount'
              ? { ...(each as object), amount: tenfold((each as { amount: unknown }).amount, 'amount') }
              : tenfold(each, key),
          ]),
        );
      return typeof value === 'string' && MONEY.has(name) ? of(value).times(10).toFixed() : value;
    };
    const MONEY = new Set([
      'amount',
      'unitPrice',
      'flatFee',
      'price',
      'percent',
      'multiplier',
      'feePerEvent',
      'minimumPerEvent',
      'maximumPerEvent',
      'minimum',
      'maximum',
    ]);
    fc.assert(
      fc.property(
        asked,
        fc.constantFrom('line', 'tier'),
        fc.nat({ max: 4 }),
        ({ charge, usage: used }, rounding, scale) => {
          const base = { currency: 'USD', usage: used, rounding } as const;
          const small = evaluatePrice({ ...base, charge, scale: scale + 1 });
          const large = evaluatePrice({ ...base, charge: tenfold(charge) as Charge, scale });
          expect(large.amount).to.equal(toDecimalText(of(small.amount).times(10)));
          expect(large.lines.map(({ amount }) => amount)).to.deep.equal(
            small.lines.map(({ amount }) => toDecimalText(of(amount).times(10))),
          );
        },
      ),
      RUNS,
    );
  });

  it('are each prorated for a part of a period, unless the charge says no', () => {
    const charge: Charge = {
      price: { model: 'perUnit', unitPrice: '1' },
      quantity: { free: '30' },
      discount: { amount: '15' },
      maximum: '90',
      minimum: '60',
    };
    const amount = (quantity: string, more: Partial<Charge> = {}): string =>
      evaluatePrice({ currency: 'USD', charge: { ...charge, ...more }, usage: { quantity }, fraction: '0.5' })
        .amount;
    // Free are 15, the discount is 7.5, the bounds are 30 and 45.
    expect(['40', '60', '100'].map((quantity) => amount(quantity))).to.deep.equal(['30', '37.5', '45']);
    expect(['100', '120', '150'].map((quantity) => amount(quantity, { proration: 'none' }))).to.deep.equal([
      '60',
      '75',
      '90',
    ]);
  });

  it('go on in the next part of a period: a discount that is used up, a maximum that is reached', () => {
    const charge: Charge = {
      price: { model: 'perUnit', unitPrice: '1' },
      discount: { percent: '50', amount: '20' },
      maximum: '30',
    };
    const after = (billed: string, amount: string, quantity: string): string =>
      evaluatePrice({
        currency: 'USD',
        charge,
        usage: { quantity },
        before: { quantity: billed, amount },
        segment: 'middle',
      }).amount;
    // 30 units before were 15 after the percentage, so 5 of the discount are left.
    expect(after('30', '0', '20')).to.equal('5');
    expect(after('50', '5', '20')).to.equal('10');
    expect(after('90', '25', '20')).to.equal('5');
    expect(after('120', '30', '20')).to.equal('0');
  });

  it('of events need to know what came before discounts, unless a fixed one is used up', () => {
    const charge: Charge = {
      price: { model: 'percentage', percent: '10', feePerEvent: '1' },
      discount: { amount: '5' },
    };
    const after = (before: Readonly<Record<string, string | number>>): string =>
      evaluatePrice({
        currency: 'USD',
        charge,
        usage: { events: [{ value: '100' }] },
        before: { quantity: '10', amount: '0', events: 1, ...before },
        segment: 'last',
      }).amount;
    expect(() => after({})).to.throw('/before/gross must say what came before discounts');
    expect(after({ gross: '2' })).to.equal('8');
    expect(after({ quantity: '70', amount: '3' })).to.equal('11');
    expect(after({ quantity: '0', events: 0 })).to.equal('6');
  });
});
