import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { taxRateSchema } from '#infra/catalogue/catalogue-file.ts';

/** What the demo itself has to know of a seller; the API checks all of it. */
const sellerFileSchema = z.looseObject({
  name: z.string(),
  taxRates: z.array(taxRateSchema),
  /** The demo adds up prices that tax comes on top of. */
  prices: z.literal('exclusive').exactOptional(),
});

/** Whose invoices customers get, in the shape in which the API takes sellers. */
export type SellerFile = z.output<typeof sellerFileSchema>;

/** Throws with every fault. */
export async function readSellerFile(path: string | URL): Promise<SellerFile> {
  const parsed = sellerFileSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success)
    throw new Error(`${String(path)} is no seller of the demo: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
