import fc from 'fast-check';
import type { Charge, Price, QuantityRule } from '#domain/pricing/charge.ts';

/**
 * A pricer that knows nothing of the engine: it walks usage unit by unit and adds up whole numbers. A unit is a tenth of what the charge
 * calls one, prices have four decimals, so an amount is a whole number of hundred-thousandths.
 */

export const TENTHS = 10;
export const AMOUNT_DECIMALS = 5;

/** Prices in ten-thousandths, quantities in tenths. */
export interface PlainTier {
  readonly width: number;
  readonly price: number;
  readonly fee: number;
  /** In tenths; the price is of each block begun. */
  readonly block: number | undefined;
}

export type PlainPrice =
  | { readonly model: 'flat'; readonly amount: number }
  | { readonly model: 'perUnit' | 'dynamic'; readonly price: number }
  | { readonly model: 'graduated' | 'volume' | 'graduatedPercentage'; readonly tiers: readonly PlainTier[] }
  | { readonly model: 'package'; readonly size: number; readonly price: number }
  | {
      readonly model: 'percentage';
      readonly percent: number;
      readonly fee: number | undefined;
      readonly freeEvents: number | undefined;
      readonly freeAmount: number | undefined;
      readonly minimum: number | undefined;
      readonly maximum: number | undefined;
    };

/** What so many tenths come to, in hundred-thousandths. `percentage` is of values without rules for single events. */
export function walkUnits(price: PlainPrice, tenths: number): number {
  switch (price.model) {
    case 'flat':
      return price.amount * TENTHS;
    case 'perUnit':
    case 'dynamic':
      return eachUnit(tenths, () => price.price);
    case 'package':
      return eachUnit(tenths, (unit) => (unit % price.size === 0 ? price.price * TENTHS : 0));
    case 'graduated':
    case 'graduatedPercentage':
      return walkTiers(price.tiers, tenths);
    case 'volume':
      return allAtLast(price.tiers, tenths);
    case 'percentage':
      return eachUnit(tenths, (unit) => (unit < (price.freeAmount ?? 0) ? 0 : price.percent));
  }
}

function eachUnit(tenths: number, costOf: (unit: number) => number): number {
  let amount = 0;
  for (let unit = 0; unit < tenths; unit++) amount += costOf(unit);
  return amount;
}

const unitCost = ({ price, block }: PlainTier, unitOfTier: number): number =>
  block === undefined ? price : unitOfTier % block === 0 ? price * TENTHS : 0;

function walkTiers(tiers: readonly PlainTier[], tenths: number): number {
  let amount = tiers[0]!.fee * TENTHS;
  let [tier, unitOfTier] = [0, 0];
  for (let unit = 0; unit < tenths; unit++) {
    if (unitOfTier === tiers[tier]!.width && tier < tiers.length - 1) {
      tier++;
      unitOfTier = 0;
      amount += tiers[tier]!.fee * TENTHS;
    }
    amount += unitCost(tiers[tier]!, unitOfTier++);
  }
  return amount;
}

function allAtLast(tiers: readonly PlainTier[], tenths: number): number {
  let left = tenths;
  const last = tiers.find(({ width }, at) => at === tiers.length - 1 || (left -= width) <= 0)!;
  return last.fee * TENTHS + eachUnit(tenths, (unit) => unitCost(last, unit));
}

/** Events one by one, and each value unit by unit: what of it is free ends with the free amount or the free events. */
export function walkEvents(
  rules: Extract<PlainPrice, { model: 'percentage' }>,
  values: readonly number[],
): number {
  const { freeEvents, freeAmount, minimum, maximum, fee = 0 } = rules;
  const bounded = minimum !== undefined || maximum !== undefined;
  let [amount, sum] = [0, 0];
  values.forEach((value, event) => {
    const byCount = freeEvents === undefined ? freeAmount !== undefined : event < freeEvents;
    const open = (byCount || (bounded && freeAmount !== undefined)) && sum <= (freeAmount ?? Infinity);
    let paid = 0;
    for (let unit = 0; unit < value; unit++) if (!open || sum + unit >= (freeAmount ?? Infinity)) paid++;
    sum += value;
    if (open && paid === 0) return;
    const plain = paid * rules.percent + fee * TENTHS;
    amount += Math.max(Math.min(plain, (maximum ?? Infinity) * TENTHS), (minimum ?? 0) * TENTHS);
  });
  return amount;
}

/** Measured tenths as billable tenths: converted by counting, then the free ones taken off. */
export function walkQuantity({ divideBy, rounding, free }: PlainQuantity, measured: number): number {
  let units = measured;
  if (divideBy > 1) {
    units = 0;
    // A whole unit is begun, half reached or filled once in as many measured tenths as make one.
    const whole = divideBy * TENTHS;
    const counted = { ceiling: 1, halfUp: whole / 2, floor: whole }[rounding];
    for (let tenth = 1; tenth <= measured; tenth++) if (tenth % whole === counted % whole) units += TENTHS;
  }
  return Math.max(0, units - free);
}

export interface PlainQuantity {
  /** 1 for no conversion. */
  readonly divideBy: number;
  readonly rounding: 'ceiling' | 'halfUp' | 'floor';
  /** Tenths. */
  readonly free: number;
}

/* The same as the engine takes it. */

/** A whole number of a power of ten's parts, as decimal text. */
export function decimalText(value: number, decimals: number): string {
  const digits = String(Math.abs(value)).padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  const fraction = digits.slice(point).replace(/0+$/, '');
  const sign = value < 0 ? '-' : '';
  return `${sign}${digits.slice(0, point)}${fraction === '' ? '' : `.${fraction}`}`;
}

export const quantityText = (tenths: number): string => decimalText(tenths, 1);
export const moneyText = (tenThousandths: number): string => decimalText(tenThousandths, 4);
/** A part of 1 in ten-thousandths, as a percentage. */
const percentText = (tenThousandths: number): string => decimalText(tenThousandths, 2);
export const amountText = (hundredThousandths: number): string =>
  decimalText(hundredThousandths, AMOUNT_DECIMALS);

const orNull = (value: number | undefined, text: (value: number) => string): string | null =>
  value === undefined ? null : text(value);

export function priceOf(price: PlainPrice): Price {
  switch (price.model) {
    case 'flat':
      return { model: 'flat', amount: moneyText(price.amount) };
    case 'perUnit':
      return { model: 'perUnit', unitPrice: moneyText(price.price) };
    case 'dynamic':
      return { model: 'dynamic', multiplier: moneyText(price.price) };
    case 'package':
      return { model: 'package', size: quantityText(price.size), price: moneyText(price.price) };
    case 'graduated':
    case 'volume':
      return {
        model: price.model,
        tiers: tiersOf(price.tiers, ({ price: of, block }) => ({
          unitPrice: moneyText(of),
          blockSize: orNull(block, quantityText),
        })),
      };
    case 'graduatedPercentage':
      return {
        model: price.model,
        tiers: tiersOf(price.tiers, ({ price: of }) => ({ percent: percentText(of) })),
      };
    case 'percentage':
      return {
        model: 'percentage',
        percent: percentText(price.percent),
        feePerEvent: orNull(price.fee, moneyText),
        freeEvents: orNull(price.freeEvents, String),
        freeAmount: orNull(price.freeAmount, quantityText),
        minimumPerEvent: orNull(price.minimum, moneyText),
        maximumPerEvent: orNull(price.maximum, moneyText),
      };
  }
}

function tiersOf<Own>(tiers: readonly PlainTier[], own: (tier: PlainTier) => Own) {
  let end = 0;
  return tiers.map((tier, at) => {
    end += tier.width;
    return {
      upTo: at === tiers.length - 1 ? null : quantityText(end),
      flatFee: moneyText(tier.fee),
      ...own(tier),
    };
  });
}

export const quantityRuleOf = ({ divideBy, rounding, free }: PlainQuantity): QuantityRule =>
  divideBy > 1
    ? { divideBy: String(divideBy), rounding, free: quantityText(free) }
    : { free: quantityText(free) };

export const chargeOf = (price: PlainPrice, quantity?: PlainQuantity): Charge => ({
  price: priceOf(price),
  quantity: quantity ? quantityRuleOf(quantity) : null,
});

/* What is tried. */

const price = fc.nat({ max: 30_000 });
const fee = fc.oneof(fc.constant(0), fc.nat({ max: 200_000 }));
const width = fc.integer({ min: 1, max: 60 });

const tier = (blocks: boolean): fc.Arbitrary<PlainTier> =>
  fc.record({
    width,
    price,
    fee,
    block: blocks ? fc.option(fc.integer({ min: 1, max: 25 }), { nil: undefined }) : fc.constant(undefined),
  });

const tiered = <Model extends 'graduated' | 'volume' | 'graduatedPercentage'>(model: Model) =>
  fc.record({
    model: fc.constant(model),
    tiers: fc.array(tier(model !== 'graduatedPercentage'), { minLength: 1, maxLength: 5 }),
  });

const free = (max: number): fc.Arbitrary<number | undefined> =>
  fc.option(fc.integer({ min: 1, max }), { nil: undefined });

/** Prices whose input is one quantity. */
export const quantityPrices: fc.Arbitrary<PlainPrice> = fc.oneof(
  fc.record({ model: fc.constant('perUnit' as const), price }),
  fc.record({ model: fc.constant('package' as const), size: fc.integer({ min: 1, max: 40 }), price }),
  tiered('graduated'),
  tiered('volume'),
  tiered('graduatedPercentage'),
  fc.record({
    model: fc.constant('percentage' as const),
    percent: fc.nat({ max: 10_000 }),
    fee: fc.constant(undefined),
    freeEvents: fc.constant(undefined),
    freeAmount: free(150),
    minimum: fc.constant(undefined),
    maximum: fc.constant(undefined),
  }),
);

/** Percentages with rules for single events. */
export const eventPrices: fc.Arbitrary<Extract<PlainPrice, { model: 'percentage' }>> = fc
  .record({
    model: fc.constant('percentage' as const),
    percent: fc.nat({ max: 10_000 }),
    fee: fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: undefined }),
    freeEvents: free(5),
    freeAmount: fc.oneof(
      free(120),
      free(12).map((whole) => whole && whole * TENTHS),
    ),
    bounds: fc.tuple(free(30_000), free(60_000)),
  })
  .map(({ bounds: [minimum, above], ...rules }) => ({
    ...rules,
    minimum,
    maximum: above === undefined ? undefined : above + (minimum ?? 0),
  }));

export const quantities = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 30 }).map((whole) => whole * TENTHS),
);

export const quantityRules: fc.Arbitrary<PlainQuantity> = fc.record({
  divideBy: fc.constantFrom(1, 1, 2, 5),
  rounding: fc.constantFrom('ceiling', 'halfUp', 'floor'),
  free: fc.oneof(fc.constant(0), fc.nat({ max: 80 })),
});

const money = (max: number): fc.Arbitrary<string | null> =>
  fc.option(fc.integer({ min: 1, max }).map(moneyText), { nil: null });

/** Discounts, maximum and minimum, any of them or none. */
export const stages: fc.Arbitrary<Pick<Charge, 'discount' | 'maximum' | 'minimum'>> = fc
  .record({
    percent: fc.option(fc.integer({ min: 1, max: 10_000 }).map(percentText), { nil: null }),
    amount: money(900_000),
    minimum: fc.option(fc.integer({ min: 1, max: 400_000 }), { nil: null }),
    above: fc.option(fc.nat({ max: 1_500_000 }), { nil: null }),
  })
  .map(({ percent, amount, minimum, above }) => ({
    discount: { percent, amount },
    minimum: minimum === null ? null : moneyText(minimum),
    maximum: above === null ? null : moneyText((minimum ?? 0) + above),
  }));

/** Values of events: also none, and such as use up a free amount exactly. */
export const eventValues: fc.Arbitrary<number> = fc.oneof(
  quantities,
  fc.nat({ max: 4 }).map((whole) => whole * TENTHS),
);
