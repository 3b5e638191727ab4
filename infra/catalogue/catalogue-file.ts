import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AGGREGATIONS } from '#domain/metering/accumulator.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';

/** A meter as the API and catalogue files give it; what zod cannot say (paths, CEL) is checked when it is saved. */
export const meterSchema = z.strictObject({
  name: z.string(),
  eventType: z.string(),
  aggregation: z.enum(AGGREGATIONS),
  value: z.string().optional(),
  dimensions: z.record(z.string(), z.string()).optional(),
  filter: z.string().optional(),
});

const catalogueFileSchema = z.strictObject({ meters: z.record(z.string(), meterSchema) });

/** Reads `{"meters": {"<key>": {…}}}`. Throws with every violation. */
export async function readCatalogueFile(path: string | URL): Promise<ReadonlyMap<string, MeterDefinition>> {
  const parsed = catalogueFileSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new Error(`${String(path)} is no catalogue: ${z.prettifyError(parsed.error)}`);
  return new Map(Object.entries(parsed.data.meters));
}
