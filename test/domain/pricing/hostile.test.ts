import { expect } from 'chai';
import fc from 'fast-check';
import { Decimal, ZERO, toDecimalText } from '#domain/money/decimal.ts';
import {
  CONVERSION_ROUNDINGS,
  ON_CHANGE,
  PRICE_MODELS,
  PRORATIONS,
  ROUNDING_EXTENTS,
  TIERS_OVER,
  TIMINGS,
  type Charge,
  type Price,
} from '#domain/pricing/charge.ts';
import { checkCharge } from '#domain/pricing/check-charge.ts';
import { evaluatePrice } from '#domain/pricing/evaluate-price.ts';
import type { EvaluatedUsage, PriceEvaluation } from '#domain/pricing/evaluation.ts';
import { priceCurve } from '#domain/pricing/price-curve.ts';
import { PricingError } from '#domain/pricing/pricing-error.ts';
import { RATE_MODES, ROUNDING_SCOPES, SEGMENT_PLACES } from '#domain/pricing/usage.ts';

/* Questions of the right shape whose texts, numbers and combinations may be anything. */

const NINES = '9'.repeat(30);
const fitting = fc.constantFrom(
  '0',
  '1',
  '2',
  '3',
  '10',
  '0.5',
  '100',
  '33.333333',
  '0.000000000000000001',
  NINES,
  `0.${'3'.repeat(30)}`,
  '-0',
  '007.10',
);
const wrong = fc.constantFrom(
  '',
  ' ',
  '-1',
  '-0.5',
  '1e3',
  'NaN',
  'Infinity',
  '+1',
  '1.',
  '.5',
  '٣',
  `1${NINES}`,
  `0.${'0'.repeat(30)}1`,
  '9'.repeat(300),
  '__proto__',
);

/** Any text, or with no wrong ones: then most questions have an answer. */
const numbers = (faulty: boolean): fc.Arbitrary<string> =>
  faulty ? fc.oneof({ weight: 8, arbitrary: fitting }, { weight: 1, arbitrary: wrong }) : fitting;

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const name = fc.constantFrom('a', '', '__proto__', 'constructor', '~/');
const dimensions = fc.dictionary(name, fc.constantFrom('', 'x', '__proto__'), {
  maxKeys: 2,
  noNullPrototype: false,
});

function priceOf(number: fc.Arbitrary<string>): fc.Arbitrary<Price> {
  const tiers = <Own extends object>(own: fc.Arbitrary<Own>) =>
    fc
      .array(fc.tuple(number, own), { minLength: 1, maxLength: 4 })
      .map((all) => all.map(([upTo, tier], at) => ({ ...tier, upTo: at === all.length - 1 ? null : upTo })));
  const tier = fc.record({
    unitPrice: optional(number),
    flatFee: optional(number),
    blockSize: optional(number),
  });
  const models: {
    readonly [Name in Price['model']]: fc.Arbitrary<Omit<Extract<Price, { model: Name }>, 'model'>>;
  } = {
    flat: fc.record({ amount: number }),
    perUnit: fc.record({ unitPrice: number }),
    graduated: fc.record({ tiers: tiers(tier) }),
    volume: fc.record({ tiers: tiers(tier) }),
    package: fc.record({ size: number, price: number }),
    percentage: fc.record({
      percent: number,
      feePerEvent: optional(number),
      freeEvents: optional(number),
      freeAmount: optional(number),
      minimumPerEvent: optional(number),
      maximumPerEvent: optional(number),
    }),
    graduatedPercentage: fc.record({
      tiers: tiers(fc.record({ percent: optional(number), flatFee: optional(number) })),
    }),
    matrix: fc.record({
      dimensions: fc.array(name, { maxLength: 2 }),
      cells: fc.array(fc.record({ match: dimensions, unitPrice: number }), { maxLength: 3 }),
      defaultUnitPrice: optional(number),
    }),
    dynamic: fc.record({ multiplier: optional(number) }),
  };
  return fc.oneof(
    ...PRICE_MODELS.map((model) =>
      (models[model] as fc.Arbitrary<object>).map((price) => ({ model, ...price }) as Price),
    ),
  );
}

const day = fc.constantFrom('2026-03-01', '2026-02-31', '2026-03-10', '', '9999-99-99', '2024-02-29');

function chargeOf(number: fc.Arbitrary<string>, faulty: boolean): fc.Arbitrary<Charge> {
  const conversion = fc.record({
    operation: fc.constantFrom('divide' as const, 'multiply' as const),
    factor: number,
    rounding: optional(fc.constantFrom(...CONVERSION_ROUNDINGS)),
    decimals: optional(
      faulty ? fc.oneof(fc.integer(), fc.constantFrom(NaN, 0.5, 3)) : fc.integer({ min: -18, max: 18 }),
    ),
    roundingOf: optional(fc.constantFrom(...ROUNDING_EXTENTS)),
  });
  return fc.record({
    price: priceOf(number),
    timing: optional(fc.constantFrom(...TIMINGS)),
    rates: faulty
      ? optional(fc.array(fc.record({ from: day, price: priceOf(number) }), { maxLength: 2 }))
      : fc.constant(null),
    quantity: optional(
      fc.record({
        divideBy: faulty ? optional(number) : fc.constant(null),
        conversion: optional(conversion),
        free: optional(number),
      }),
    ),
    discount: optional(fc.record({ percent: optional(number), amount: optional(number) })),
    maximum: optional(number),
    minimum: optional(number),
    onChange: optional(fc.constantFrom(...ON_CHANGE)),
    proration: optional(fc.constantFrom(...PRORATIONS)),
    tiersOver: optional(fc.constantFrom(...TIERS_OVER)),
  });
}

const nothing = fc.constant(undefined);
const orNothing = <Value>(value: fc.Arbitrary<Value>) => fc.oneof(nothing, value);

function questionOf(faulty: boolean): fc.Arbitrary<PriceEvaluation> {
  const number = numbers(faulty);
  const groups = fc.array(fc.record({ dimensions, quantity: number }), { maxLength: 4 });
  const usage: fc.Arbitrary<EvaluatedUsage> = fc.oneof(
    fc.record({ quantity: number, tierQuantity: orNothing(number) }),
    fc.record({ groups }),
    fc.record({
      events: fc.array(fc.record({ value: number, dimensions: orNothing(dimensions) }), { maxLength: 4 }),
    }),
    fc.record({ seats: number }),
  );
  const before = fc.record({
    quantity: number,
    amount: number,
    gross: orNothing(number),
    events: orNothing(faulty ? fc.oneof(fc.integer(), fc.constantFrom(NaN, 0.5)) : fc.nat()),
    groups: orNothing(groups),
  });
  return fc.record({
    currency: faulty
      ? fc.constantFrom('USD', 'JPY', 'usd', '', '__proto__')
      : fc.constantFrom('USD', 'JPY', 'BHD'),
    charge: chargeOf(number, faulty),
    usage,
    before: faulty ? orNothing(before) : nothing,
    segment: orNothing(fc.constantFrom(...SEGMENT_PLACES)),
    mode: orNothing(fc.constantFrom(...RATE_MODES)),
    rounding: orNothing(fc.constantFrom(...ROUNDING_SCOPES)),
    scale: orNothing(faulty ? fc.oneof(fc.integer(), fc.constantFrom(NaN, 0.5)) : fc.nat({ max: 18 })),
    fraction: orNothing(faulty ? number : fc.constantFrom('0', '1', '0.5', `0.${'3'.repeat(30)}`)),
    date: faulty ? orNothing(day) : nothing,
  });
}

const PLAIN = /^(?:0|-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?)$/;

/** Every number of an answer is written out, and none of them is a negative zero. */
function expectPlainNumbers(value: unknown, at = ''): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value))
      if (!['dimensions', 'group', 'label', 'description'].includes(key))
        expectPlainNumbers(each, `${at}/${key}`);
  } else if (typeof value === 'number') {
    expect(Number.isSafeInteger(value), at).to.equal(true);
  } else if (typeof value === 'string' && /\d|NaN|Infinity/.test(value) && !at.endsWith('/fraction')) {
    expect(value, at).to.match(PLAIN).and.not.equal('-0');
  }
}

/** The answer; undefined where it is refused by name, with every fault in its place. */
function answerOf<Answer>(ask: () => Answer): Answer | undefined {
  try {
    return ask();
  } catch (error) {
    expect(error).to.be.instanceOf(PricingError);
    const { code, violations } = error as PricingError;
    expect(code).to.equal('invalid_query');
    expect(violations).to.not.be.empty;
    for (const fault of violations) {
      expect(fault.pointer).to.match(/^\/(?:charge|usage|before|currency|scale|fraction|date|from|to|steps)/);
      expect(fault.code).to.match(/^[a-z_]+$/);
    }
    return undefined;
  }
}

function expectSound(question: PriceEvaluation): boolean {
  const answer = answerOf(() => evaluatePrice(question));
  if (answer === undefined) return false;
  expectPlainNumbers(answer);
  const total = answer.lines.reduce((sum, { amount }) => sum.plus(amount), ZERO);
  expect(toDecimalText(total)).to.equal(answer.amount);
  return true;
}

describe('whatever a question about a price holds', () => {
  it('it has an answer in plain numbers, or a refusal that names every fault', () => {
    fc.assert(
      fc.property(questionOf(true), (question) => {
        expectSound(question);
        expect(checkCharge(question.charge)).to.be.an('array');
      }),
      { numRuns: 6_000 },
    );
  });

  it('without a fault, and with nothing billed before, it is not negative', () => {
    let answered = 0;
    fc.assert(
      fc.property(questionOf(false), (question) => {
        const { charge, usage } = question;
        if (!expectSound(question)) return;
        answered++;
        const { amount } = evaluatePrice(question);
        expect(new Decimal(amount).gte(0), JSON.stringify([charge, usage])).to.equal(true);
      }),
      { numRuns: 6_000 },
    );
    expect(answered).to.be.above(500);
  });

  it('its curve goes from one end to the other and turns back nowhere', () => {
    const question = fc.record({
      currency: fc.constantFrom('USD', 'JPY'),
      charge: chargeOf(fitting, false),
      from: orNothing(fitting),
      to: fitting,
      steps: fc.integer({ min: 0, max: 12 }),
    });
    let drawn = 0;
    fc.assert(
      fc.property(question, (asked) => {
        const curve = answerOf(() => priceCurve(asked));
        if (curve === undefined) return;
        drawn++;
        expectPlainNumbers(curve);
        const at = curve.points.map(({ quantity }) => new Decimal(quantity));
        expect(at[0]?.eq(asked.from ?? 0) && at.at(-1)?.eq(asked.to)).to.equal(true);
        expect(at.every((each, index) => index === 0 || each.gt(at[index - 1] ?? ZERO))).to.equal(true);
      }),
      { numRuns: 2_000 },
    );
    expect(drawn).to.be.above(100);
  });
});
