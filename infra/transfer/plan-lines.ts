import { z } from 'zod';
import { PLAN_VERSION_STATES } from '#domain/plans/plan-version.ts';
import {
  CONVERSION_ROUNDINGS,
  ON_CHANGE,
  PRORATIONS,
  ROUNDING_EXTENTS,
  TIERS_OVER,
  TIMINGS,
} from '#domain/pricing/charge.ts';
import { optional, taxRates, time, wholeNumber } from './line-fields.ts';

/** The shape of what is sold, as it is stored: what it may say, the rules of plans judge. */

const text = z.string();
const maybe = optional(text);
const tiers = z.array(
  z.strictObject({ upTo: text.nullable(), unitPrice: maybe, flatFee: maybe, blockSize: maybe }),
);
const percentTiers = z.array(z.strictObject({ upTo: text.nullable(), percent: maybe, flatFee: maybe }));

export const price = z.discriminatedUnion('model', [
  z.strictObject({ model: z.literal('flat'), amount: text }),
  z.strictObject({ model: z.literal('perUnit'), unitPrice: text }),
  z.strictObject({ model: z.literal('graduated'), tiers }),
  z.strictObject({ model: z.literal('volume'), tiers }),
  z.strictObject({ model: z.literal('package'), size: text, price: text }),
  z.strictObject({
    model: z.literal('percentage'),
    percent: text,
    feePerEvent: maybe,
    freeEvents: maybe,
    freeAmount: maybe,
    minimumPerEvent: maybe,
    maximumPerEvent: maybe,
  }),
  z.strictObject({ model: z.literal('graduatedPercentage'), tiers: percentTiers }),
  z.strictObject({
    model: z.literal('matrix'),
    dimensions: z.array(text),
    cells: z.array(z.strictObject({ match: z.record(text, text), unitPrice: text })),
    defaultUnitPrice: maybe,
  }),
  z.strictObject({ model: z.literal('dynamic'), multiplier: maybe }),
]);

export const quantityRule = z.strictObject({
  divideBy: maybe,
  rounding: optional(z.enum(CONVERSION_ROUNDINGS)),
  conversion: optional(
    z.strictObject({
      operation: z.enum(['divide', 'multiply']),
      factor: text,
      rounding: optional(z.enum(CONVERSION_ROUNDINGS)),
      decimals: optional(wholeNumber),
      roundingOf: optional(z.enum(ROUNDING_EXTENTS)),
    }),
  ),
  free: maybe,
});

export const discount = z.strictObject({ percent: maybe, amount: maybe });

const money = {
  price,
  rates: optional(z.array(z.strictObject({ from: text, price }))),
  discount: optional(discount),
  maximum: maybe,
  minimum: maybe,
};

const charges = z.array(
  z.strictObject({
    key: text,
    name: maybe,
    meter: maybe,
    timing: optional(z.enum(TIMINGS)),
    cadence: maybe,
    ...money,
    quantity: optional(quantityRule),
    onChange: optional(z.enum(ON_CHANGE)),
    proration: optional(z.enum(PRORATIONS)),
    tiersOver: optional(z.enum(TIERS_OVER)),
    seats: maybe,
    inCurrency: optional(z.record(text, z.strictObject(money))),
    taxRates: optional(taxRates),
  }),
);

const amounts = z.record(text, text);
const bound = { amount: amounts, cadence: maybe };
const bounds = {
  minimum: optional(z.strictObject({ ...bound, overageFactor: maybe })),
  maximum: optional(z.strictObject(bound)),
};

const definition = z.strictObject({
  currencies: z.array(text),
  phases: z.array(z.strictObject({ key: text, name: maybe, duration: maybe, charges, ...bounds })),
  addOns: optional(z.array(z.strictObject({ key: text, name: maybe, charges }))),
  ...bounds,
  family: maybe,
  spendThreshold: optional(amounts),
});
export type WrittenDefinition = z.input<typeof definition>;

export const planLine = z.strictObject({
  kind: z.literal('plan'),
  key: text,
  name: text,
  createdAt: time,
  archivedAt: time.nullable(),
});

export const planVersionLine = z.strictObject({
  kind: z.literal('planVersion'),
  plan: text,
  version: wholeNumber.min(1),
  state: z.enum(PLAN_VERSION_STATES),
  definition,
  createdAt: time,
  updatedAt: time,
  publishedAt: time.nullable(),
  archivedAt: time.nullable(),
});
