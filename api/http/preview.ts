import { z } from 'zod';
import type { Transaction } from '#infra/database/database.ts';
import { withoutWrites } from '#infra/database/without-writes.ts';

/** Of every call that changes something by rules worth seeing first. */
export const previewQuery = {
  preview: z
    .string()
    .refine((text) => text === 'true' || text === 'false', 'must be true or false')
    .transform((text) => text === 'true')
    .default(false)
    .meta({
      override: { type: 'boolean', default: false },
      description: 'Answers what would be, and changes nothing',
    }),
};

/** The transaction of a change, or for its preview one in which nothing is written: the same code, not applied. */
export const asPreviewed = (tx: Transaction, { preview }: { readonly preview: boolean }): Transaction =>
  preview ? withoutWrites(tx) : tx;
