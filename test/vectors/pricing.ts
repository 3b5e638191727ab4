import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Decimal } from '#domain/money/decimal.ts';
import type { Charge, Price, QuantityRule } from '#domain/pricing/charge.ts';
import type { EvaluatedPrice, PriceEvaluation } from '#domain/pricing/evaluation.ts';
import type { PriceStage } from '#domain/pricing/working.ts';

/** Prices as other systems' tests have them, put as questions to the calculator of prices. */

interface VectorTier {
  readonly up_to: string | null;
  readonly unit_price?: string;
  readonly rate_percent?: string;
  readonly flat_fee: string;
  readonly block_size?: string;
}

interface CapacityTier {
  readonly limits: Readonly<Record<string, string | null>>;
  readonly flat_fee: string;
}

interface VectorEvent {
  readonly value: string;
  readonly dimensions?: Readonly<Record<string, string>>;
}

interface Adjustments {
  readonly unit_conversion?: {
    readonly operation: 'divide' | 'multiply';
    readonly factor: string;
    readonly rounding?: string | null;
    readonly scale?: string;
  };
  readonly usage_discount?: string;
  readonly percentage_discount?: string;
  readonly maximum_amount?: string;
  readonly minimum_amount?: string;
}

interface ExpectedLine {
  readonly tier?: string;
  readonly kind?: string;
  readonly match?: Readonly<Record<string, string>>;
  readonly quantity?: string;
  readonly unit_price?: string;
  readonly amount: string;
  readonly flat?: string;
}

type Params = Readonly<Record<string, string | null>> & {
  readonly tiers: readonly (VectorTier & CapacityTier)[];
  readonly dimensions: readonly string[];
  readonly cells: readonly { match: Readonly<Record<string, string>>; unit_price: string }[];
};

export interface PricingVector {
  readonly id: string;
  readonly source: string;
  readonly system: string;
  readonly model: string;
  readonly mode: 'period' | 'cumulative_delta';
  readonly params: Params;
  readonly quantity?: string;
  readonly events?: readonly VectorEvent[];
  readonly quantities?: Readonly<Record<string, string>>;
  readonly prior?: { readonly quantity: string; readonly billed_amount: string };
  readonly segment: PriceEvaluation['segment'];
  readonly adjustments?: Adjustments;
  readonly rounding: { readonly scope: 'per_line' | 'total' | 'none'; readonly scale?: string };
  readonly currency: string;
  readonly expected: {
    readonly amount: string;
    readonly gross?: string;
    readonly maximum_discount?: string;
    readonly packages?: string;
    readonly billable_quantity?: string;
    readonly selected_tier?: string;
    readonly lines?: readonly ExpectedLine[];
  };
}

export const pricingVectors = JSON.parse(
  readFileSync(new URL('./pricing.json', import.meta.url), 'utf8'),
) as PricingVector[];

/** Cases that are answered otherwise here, with our value. */
export const DEVIATIONS: Readonly<Record<string, { readonly amount: string; readonly reason: string }>> = {};

/** The questions that a case asks: one, but for a capacity, which is asked of each unit. */
export const evaluationsOf = (vector: PricingVector): readonly PriceEvaluation[] =>
  vector.model === 'capacity' ? capacityQuestions(vector) : [question(vector)];

function question(vector: PricingVector): PriceEvaluation {
  const { currency, segment, mode, prior, rounding } = vector;
  return {
    currency,
    charge: chargeOf(vector),
    usage: usageOf(vector),
    segment,
    mode: mode === 'cumulative_delta' ? 'cumulative' : 'segment',
    // What a line is to others is a tier here; a total is a line.
    rounding: ({ per_line: 'tier', total: 'line', none: 'none' } as const)[rounding.scope],
    ...(rounding.scale === undefined ? {} : { scale: Number(rounding.scale) }),
    ...(prior ? { before: { quantity: prior.quantity, amount: prior.billed_amount } } : {}),
  };
}

function usageOf({ quantity, events, params }: PricingVector): PriceEvaluation['usage'] {
  const selecting = params['tier_selection_quantity'];
  if (events) return { events };
  return { quantity: quantity!, ...(selecting == null ? {} : { tierQuantity: selecting }) };
}

function chargeOf(vector: PricingVector): Charge {
  const { params, adjustments: given = {} } = vector;
  return {
    price: priceOf(vector),
    timing: params['payment_term'] === 'in_advance' ? 'inAdvance' : 'inArrears',
    quantity: quantityOf(vector),
    discount: given.percentage_discount === undefined ? null : { percent: given.percentage_discount },
    maximum: given.maximum_amount ?? null,
    minimum: given.minimum_amount ?? null,
  };
}

/** OpenMeter rounds the converted units of each segment. */
function quantityOf({ params, adjustments }: PricingVector): QuantityRule {
  const conversion = adjustments?.unit_conversion;
  return {
    free: adjustments?.usage_discount ?? params['free_units'] ?? null,
    ...(conversion
      ? {
          conversion: {
            operation: conversion.operation,
            factor: conversion.factor,
            rounding: roundingNamed(conversion.rounding),
            decimals: Number(conversion.scale ?? '0'),
            roundingOf: 'segment' as const,
          },
        }
      : {}),
  };
}

type RoundingName = NonNullable<QuantityRule['rounding']>;

/** `half_up` as `halfUp`. */
const roundingNamed = (name: string | null | undefined): RoundingName =>
  (name ?? 'none').replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) as RoundingName;

const PRICES: Readonly<Record<string, (params: Params) => Price>> = {
  flat: ({ amount }) => ({ model: 'flat', amount: amount! }),
  unit: ({ unit_price: unitPrice }) => ({ model: 'perUnit', unitPrice: unitPrice! }),
  graduated: (params) => ({ model: 'graduated', tiers: tiersOf(params) }),
  volume: (params) => ({ model: 'volume', tiers: tiersOf(params) }),
  package: ({ package_size: size, package_price: price }) => ({
    model: 'package',
    size: size!,
    price: price!,
  }),
  percentage: (params) => ({
    model: 'percentage',
    percent: params['rate_percent']!,
    feePerEvent: params['fixed_fee_per_event'] ?? null,
    freeEvents: params['free_events'] ?? null,
    freeAmount: params['free_amount'] ?? null,
    minimumPerEvent: params['per_event_minimum'] ?? null,
    maximumPerEvent: params['per_event_maximum'] ?? null,
  }),
  graduated_percentage: (params) => ({
    model: 'graduatedPercentage',
    tiers: withLast(
      params.tiers.map((tier) => ({
        upTo: tier.up_to,
        percent: tier.rate_percent ?? '0',
        flatFee: tier.flat_fee,
      })),
    ),
  }),
  matrix: (params) => ({
    model: 'matrix',
    dimensions: params.dimensions,
    cells: params.cells.map((cell) => ({ match: cell.match, unitPrice: cell.unit_price })),
    defaultUnitPrice: params['default_unit_price'] ?? null,
  }),
  dynamic: ({ multiplier }) => ({ model: 'dynamic', multiplier: multiplier! }),
};

const priceOf = ({ model, params }: PricingVector): Price => PRICES[model]!(params);

const tiersOf = ({ tiers }: Params) =>
  withLast(
    tiers.map((tier) => ({
      upTo: tier.up_to,
      unitPrice: tier.unit_price ?? '0',
      flatFee: tier.flat_fee,
      blockSize: tier.block_size ?? null,
    })),
  );

/** A case about one tier may leave out those above, which a price here must not. */
const withLast = <Tier extends { readonly upTo: string | null }>(tiers: readonly Tier[]): readonly Tier[] => {
  const last = tiers.at(-1)!;
  return last.upTo === null ? tiers : [...tiers, { ...last, upTo: null }];
};

/** For each unit, the tier that holds its peak: volume tiers by number, whose fee tells which it is. */
const capacityQuestions = ({ params, quantities, segment }: PricingVector): readonly PriceEvaluation[] =>
  Object.entries(quantities!).map(([unit, quantity]) => ({
    currency: 'USD',
    charge: {
      price: {
        model: 'volume',
        tiers: withLast(
          params.tiers.map(({ limits }, index) => ({
            upTo: limits[unit] ?? null,
            flatFee: String(index + 1),
          })),
        ),
      },
    },
    usage: { quantity },
    segment,
  }));

/** Judges answers: by what the source asserts, or, where we deviate, by our own value. */
export function expectPrices(vector: PricingVector, answers: readonly EvaluatedPrice[]): void {
  expect(amountOf(vector, answers)).to.equal(DEVIATIONS[vector.id]?.amount ?? vector.expected.amount);
  const [answer] = answers;
  if (vector.model !== 'capacity' && !DEVIATIONS[vector.id]) expectDetails(vector, answer!);
}

function amountOf({ model, params }: PricingVector, answers: readonly EvaluatedPrice[]): string {
  const [answer] = answers;
  if (model === 'capacity') return capacityFee(params, answers);
  const only = params['only_tier'];
  if (only == null) return answer!.amount;
  const stage = answer!.working.find((each): each is PriceStage => each.stage === 'price')!;
  const amounts = stage.parts.filter(({ tier }) => tier === Number(only)).map(({ amount }) => amount);
  return amounts.reduce(sum, '0');
}

/** The highest tier that any unit needs. */
function capacityFee({ tiers }: Params, answers: readonly EvaluatedPrice[]): string {
  const highest = Math.max(...answers.map(({ amount }) => Number(amount)));
  return tiers[highest - 1]!.flat_fee;
}

/** What else a case asserts, where it is told in the answer. */
function expectDetails({ expected, model }: PricingVector, { lines, working }: EvaluatedPrice): void {
  const {
    gross,
    maximum_discount: maximum,
    packages,
    billable_quantity: billable,
    selected_tier: tier,
  } = expected;
  const sold = lines.filter(({ kind }) => kind === 'usage' || kind === 'fixed');
  const parts = working.flatMap((stage) => (stage.stage === 'price' ? stage.parts : []));
  if (gross !== undefined) expect(sold.map(({ amount }) => amount).reduce(sum, '0')).to.equal(gross);
  if (maximum !== undefined)
    expect(lines.find(({ kind }) => kind === 'maximum')?.amount ?? '0').to.equal(
      maximum === '0' ? '0' : `-${maximum}`,
    );
  if (packages !== undefined) expect(parts[0]?.quantity).to.equal(packages);
  if (billable !== undefined && model === 'unit') expect(parts[0]?.quantity).to.equal(billable);
  if (tier !== undefined) expect(parts.map((part) => part.tier)).to.include(Number(tier));
  for (const line of expected.lines ?? []) expectLine(line, parts, lines);
}

function expectLine(line: ExpectedLine, parts: PriceStage['parts'], lines: EvaluatedPrice['lines']): void {
  const { tier, kind = 'usage', match, amount, flat, quantity } = line;
  if (match) {
    expect(lines).to.deep.include.members([
      { ...lines.find(({ dimensions }) => same(dimensions, match)), quantity, amount },
    ]);
  } else if (tier === undefined) {
    expect(lines.find((each) => each.kind === kind)?.amount).to.equal(amount);
  } else {
    const ofTier = parts.filter((part) => part.tier === Number(tier));
    const amountOfKind = (wanted: string): string | undefined =>
      ofTier.find((part) => part.kind === wanted)?.amount;
    expect(amountOfKind(kind === 'flat' ? 'fixed' : 'usage')).to.equal(amount);
    if (flat !== undefined) expect(amountOfKind('fixed')).to.equal(flat);
    if (quantity !== undefined)
      expect(ofTier.find((part) => part.kind === 'usage')?.quantity).to.equal(quantity);
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const sum = (a: string, b: string): string => new Decimal(a).plus(b).toFixed();
