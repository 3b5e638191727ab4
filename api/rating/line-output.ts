import { z } from 'zod';
import { quantityOutput } from '../http/schemas.ts';

/** What a line of a bill and a line of a calculated price say alike. */
export const lineOutput = {
  dimensions: z
    .record(z.string(), z.string())
    .exactOptional()
    .meta({ description: 'Of a line of one group' }),
  quantity: quantityOutput.nullable(),
  unitPrice: quantityOutput
    .nullable()
    .meta({ description: 'Null where the amount is more than a quantity times a price' }),
};

export const workingOutput = z
  .array(z.looseObject({ stage: z.string() }))
  .meta({ description: 'What the amount was computed from, stage by stage' });
