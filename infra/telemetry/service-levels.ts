import { readFileSync } from 'node:fs';
import { z } from 'zod';

const labelsSchema = z.record(z.string(), z.array(z.string()));
const countedSchema = z.object({ metric: z.string(), labels: labelsSchema });

const serviceLevelSchema = z.object({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string(),
  description: z.string(),
  /** The share of what is counted that must be good. */
  objective: z.number().gt(0).lt(1),
  windowDays: z.number().int().positive(),
  indicator: z.discriminatedUnion('kind', [
    /** Good is what is counted in `total` and not in `bad`. */
    z.object({ kind: z.literal('ratio'), bad: countedSchema, total: countedSchema }),
    /** Good is what a histogram counted at or below `atMost`, which is a boundary of its buckets. */
    z.object({
      kind: z.literal('threshold'),
      metric: z.string(),
      labels: labelsSchema,
      atMost: z.number().positive(),
    }),
  ]),
});
export type ServiceLevel = z.infer<typeof serviceLevelSchema>;

/** What this platform promises, named once: the code, the alerts that Terraform makes, the pages and the documents read this list. */
export const SERVICE_LEVELS: readonly ServiceLevel[] = z
  .array(serviceLevelSchema)
  .parse(JSON.parse(readFileSync(new URL('service-levels.json', import.meta.url), 'utf8')));
