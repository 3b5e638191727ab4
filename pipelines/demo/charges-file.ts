import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { checkBilledCharges } from '#domain/invoicing/check-billed-charges.ts';

const decimal = z.string().regex(/^\d+(?:\.\d+)?$/, 'must be a plain decimal of 0 or more');

const tiers = z.array(
  z.strictObject({
    upTo: decimal.nullable(),
    unitPrice: decimal.exactOptional(),
    flatFee: decimal.exactOptional(),
  }),
);

const priceSchema = z.discriminatedUnion('model', [
  z.strictObject({ model: z.literal('flat'), amount: decimal }),
  z.strictObject({ model: z.literal('perUnit'), unitPrice: decimal }),
  z.strictObject({ model: z.literal('graduated'), tiers }),
  z.strictObject({ model: z.literal('volume'), tiers }),
  z.strictObject({ model: z.literal('package'), size: decimal, price: decimal }),
  z.strictObject({
    model: z.literal('matrix'),
    dimensions: z.array(z.string()),
    cells: z.array(z.strictObject({ match: z.record(z.string(), z.string()), unitPrice: decimal })),
    defaultUnitPrice: decimal.exactOptional(),
  }),
]);

/** Of what a charge may say, the part that the demo can compute by itself: anything else is refused before the run, not at its end. */
const chargeSchema = z
  .strictObject({
    key: z.string(),
    name: z.string(),
    meter: z.string().exactOptional(),
    timing: z.enum(['inAdvance', 'inArrears']).exactOptional(),
    price: priceSchema,
    quantity: z
      .strictObject({ divideBy: decimal.exactOptional(), free: decimal.exactOptional() })
      .exactOptional(),
    discount: z
      .strictObject({ percent: decimal.exactOptional(), amount: decimal.exactOptional() })
      .exactOptional(),
    maximum: decimal.exactOptional(),
    minimum: decimal.exactOptional(),
  })
  .refine(
    ({ price, quantity }) => price.model !== 'matrix' || quantity?.free === undefined,
    'the demo does not spread free units over groups by itself',
  );

const chargesFileSchema = z.strictObject({ currency: z.string().length(3), charges: z.array(chargeSchema) });

/** What every customer of a data set is billed with, in the shape in which the API takes charges. */
export type ChargesFile = z.output<typeof chargesFileSchema>;
export type FileCharge = ChargesFile['charges'][number];

/** Reads `{"currency": "USD", "charges": [{…}]}`. Throws with every fault. */
export async function readChargesFile(path: string | URL): Promise<ChargesFile> {
  const parsed = chargesFileSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success)
    throw new Error(`${String(path)} has charges the demo cannot use: ${z.prettifyError(parsed.error)}`);
  const faults = checkBilledCharges(parsed.data.charges);
  if (faults.length > 0)
    throw new Error(
      `${String(path)}: ${faults.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}`,
    );
  return parsed.data;
}
