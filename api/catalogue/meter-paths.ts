import { z } from 'zod';
import { keyInput } from '../http/schemas.ts';

export const tag = 'Meters';
export const keyPath = z.object({ key: keyInput });
export const versionPath = z.object({
  key: keyInput,
  version: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be a whole number from 1')
    .transform(Number)
    .meta({ override: { type: 'integer', minimum: 1 } }),
});
