import type { Instant } from '#domain/instant.ts';
import type { Reads } from '#infra/database/database.ts';
import { readFreshness } from '#infra/usage/watermark.ts';
import { NAMESPACE } from '#test/support/local-stores.ts';

/** The publish time before which everything is in, as it stands in the database; 0 while no feed has reported. */
export const storedThrough = async (from: Reads): Promise<Instant> =>
  (await readFreshness(from, NAMESPACE))?.asOf ?? 0;
