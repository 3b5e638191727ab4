import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { OVERAGES } from '#domain/entitlements/limit.ts';
import { AGGREGATIONS } from '#domain/metering/accumulator.ts';

/** A meter as the API and catalogue files give it; what zod cannot say (paths, CEL) is checked when it is saved. */
export const meterSchema = z.strictObject({
  name: z.string(),
  eventType: z.string(),
  aggregation: z.enum(AGGREGATIONS),
  value: z.string().optional(),
  dimensions: z.record(z.string(), z.string()).optional(),
  filter: z.string().optional(),
});

const featureSchema = z.strictObject({
  name: z.string(),
  meter: z.string().optional(),
  unit: z.string().optional(),
});

const limitSchema = z.strictObject({
  key: z.string(),
  amount: z.string(),
  period: z.union([
    z.strictObject({ every: z.string(), anchor: z.string().optional(), timezone: z.string().optional() }),
    z.strictObject({ rolling: z.string() }),
  ]),
  overage: z.enum(OVERAGES),
});

/** A tax as the API takes it, in percent. */
export const taxRateSchema = z.strictObject({
  code: z.string(),
  jurisdiction: z.string(),
  rate: z.string(),
  exemption: z.string().optional(),
});

const customerSchema = z.strictObject({
  name: z.string(),
  subjects: z.array(z.string()),
  address: z.record(z.string(), z.string()).optional(),
  taxRates: z.array(taxRateSchema).optional(),
  /** By feature. */
  limits: z.record(z.string(), z.array(limitSchema)).default({}),
});

const catalogueFileSchema = z.strictObject({
  meters: z.record(z.string(), meterSchema),
  features: z.record(z.string(), featureSchema).default({}),
  customers: z.record(z.string(), customerSchema).default({}),
});

/** Everything by its key, as it is then put: what is not of the shape alone is checked where it is saved. */
export type CatalogueFile = z.output<typeof catalogueFileSchema>;
export type CatalogueFileLimit = z.output<typeof limitSchema>;

/** Reads `{"meters": {"<key>": {…}}, "features": {…}, "customers": {…}}`. Throws with every violation. */
export async function readCatalogueFile(path: string | URL): Promise<CatalogueFile> {
  const parsed = catalogueFileSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new Error(`${String(path)} is no catalogue: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
