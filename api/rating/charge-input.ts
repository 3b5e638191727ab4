import { Decimal } from 'decimal.js';
import { z } from 'zod';
import {
  CONVERSION_ROUNDINGS,
  ON_CHANGE,
  PRORATIONS,
  ROUNDING_EXTENTS,
  TIERS_OVER,
  TIMINGS,
} from '#domain/pricing/charge.ts';
import { MATRIX_CELLS_MAX, METER_DIMENSIONS_MAX, TIERS_PER_PRICE_MAX } from '#domain/limits.ts';
import { NumberText } from '../http/exact-json.ts';
import { keyInput, recordInput } from '../http/schemas.ts';

const DECIMAL_TEXT_MAX = 256;
const EXPONENT_MAX = 100;

/**
 * A number of a charge: decimal text as it was sent, or a JSON number written out digit by digit. Whether it is a decimal that a price
 * may have, the rules of prices say, together with everything else that is wrong with the charge.
 */
export const decimalInput = z
  .union([
    z.string().max(DECIMAL_TEXT_MAX),
    z.number(),
    z.instanceof(NumberText).meta({ override: { type: 'number' } }),
  ])
  .transform((given) =>
    typeof given === 'string' ? given : writtenOut(given instanceof NumberText ? given.text : String(given)),
  )
  .meta({ override: { anyOf: [{ type: 'string' }, { type: 'number' }] }, example: '0.02' });

/** Without an exponent, where it is small enough to be written out. */
function writtenOut(text: string): string {
  if (text.length > DECIMAL_TEXT_MAX) return text;
  const value = new Decimal(text);
  return value.isFinite() && Math.abs(value.e) <= EXPONENT_MAX ? value.toFixed() : text;
}

const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().exactOptional();
const number = optional(decimalInput);

/** One more than there may be passes, so that the rules of prices name it beside the other faults. */
export const upTo = <Item extends z.ZodType>(item: Item, max: number) => z.array(item).max(max + 1);

const tierInput = z.strictObject({
  upTo: decimalInput.nullable().meta({ description: 'Inclusive; null for the last tier' }),
  unitPrice: number,
  flatFee: number,
  blockSize: number,
});

const percentTierInput = z.strictObject({
  upTo: decimalInput.nullable().meta({ description: 'Inclusive; null for the last tier' }),
  percent: number,
  flatFee: number,
});

const priceInput = z
  .discriminatedUnion('model', [
    z.strictObject({ model: z.literal('flat'), amount: decimalInput }),
    z.strictObject({ model: z.literal('perUnit'), unitPrice: decimalInput }),
    z.strictObject({ model: z.literal('graduated'), tiers: upTo(tierInput, TIERS_PER_PRICE_MAX) }),
    z.strictObject({ model: z.literal('volume'), tiers: upTo(tierInput, TIERS_PER_PRICE_MAX) }),
    z.strictObject({ model: z.literal('package'), size: decimalInput, price: decimalInput }),
    z.strictObject({
      model: z.literal('percentage'),
      percent: decimalInput,
      feePerEvent: number,
      freeEvents: number,
      freeAmount: number,
      minimumPerEvent: number,
      maximumPerEvent: number,
    }),
    z.strictObject({
      model: z.literal('graduatedPercentage'),
      tiers: upTo(percentTierInput, TIERS_PER_PRICE_MAX),
    }),
    z.strictObject({
      model: z.literal('matrix'),
      dimensions: upTo(z.string(), METER_DIMENSIONS_MAX),
      cells: upTo(
        z.strictObject({ match: recordInput(z.string()), unitPrice: decimalInput }),
        MATRIX_CELLS_MAX,
      ),
      defaultUnitPrice: number,
    }),
    z.strictObject({ model: z.literal('dynamic'), multiplier: number }),
  ])
  .meta({ id: 'Price' });

const conversionInput = z.strictObject({
  operation: z.enum(['divide', 'multiply']),
  factor: decimalInput,
  rounding: optional(z.enum(CONVERSION_ROUNDINGS)),
  decimals: optional(z.int()),
  roundingOf: optional(z.enum(ROUNDING_EXTENTS)),
});

/** What a plan charges for, as the rules of prices take it. */
const chargeFields = {
  name: optional(z.string().max(DECIMAL_TEXT_MAX)),
  meter: optional(keyInput),
  timing: optional(z.enum(TIMINGS)),
  cadence: optional(z.string().max(64)),
  price: priceInput,
  rates: optional(
    z
      .array(z.strictObject({ from: z.string().max(32).meta({ example: '2026-03-01' }), price: priceInput }))
      .meta({ description: 'Other prices, each from a local day on' }),
  ),
  quantity: optional(
    z.strictObject({
      divideBy: number,
      rounding: optional(z.enum(CONVERSION_ROUNDINGS)),
      conversion: optional(conversionInput),
      free: number,
    }),
  ),
  discount: optional(z.strictObject({ percent: number, amount: number })),
  maximum: number,
  minimum: number,
  onChange: optional(z.enum(ON_CHANGE)),
  proration: optional(z.enum(PRORATIONS)),
  tiersOver: optional(z.enum(TIERS_OVER)),
};

export const chargeInput = z
  .strictObject({ key: optional(keyInput), ...chargeFields })
  .meta({ id: 'Charge' });

/** A charge that lines can name. */
export const billedChargeInput = z
  .strictObject({ key: keyInput, ...chargeFields })
  .meta({ id: 'BilledCharge' });
