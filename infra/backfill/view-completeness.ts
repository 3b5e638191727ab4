import type { Instant } from '#domain/instant.ts';
import { openCorrection } from '#infra/corrections/tables.ts';
import type { Reads } from '#infra/database/database.ts';
import { openImport } from '#infra/imports/tables.ts';
import { appendOwed, appendParked } from '#infra/usage/tables.ts';
import { readFreshness } from '#infra/usage/watermark.ts';

/**
 * What the exact view may lack of that which was committed by a time: events whose feeds are not acknowledged so far (`watermark`), replacements and
 * corrections on their way (`corrections`), events that are brought in (`imports`), rows that the warehouse refused (`parked`).
 */
export const VIEW_LACKS = ['watermark', 'corrections', 'imports', 'parked'] as const;
export type ViewLacks = (typeof VIEW_LACKS)[number];

/**
 * Undefined once the view as of `at`, a commit time, is all that was committed by then: what was committed was published before, everything that was
 * published before the watermark is appended, and what comes by another way is owed or parked until it is appended too. Once undefined it
 * stays so. `from` must be read after `at`.
 */
export async function whatViewLacks(
  from: Reads,
  namespace: string,
  at: Instant,
): Promise<ViewLacks | undefined> {
  const freshness = await readFreshness(from, namespace);
  if (freshness === undefined || freshness.asOf <= at) return 'watermark';
  for await (const { committedAt } of from.scan(appendOwed, { prefix: [namespace] }))
    if (committedAt <= at) return 'corrections';
  // They are open until the warehouse was told all that they did.
  for await (const _ of from.scan(openCorrection, { prefix: [namespace] }, { limit: 1 }))
    return 'corrections';
  for await (const _ of from.scan(openImport, { prefix: [namespace] }, { limit: 1 })) return 'imports';
  const parked = from.scan(appendParked, { prefix: [namespace] }, { index: 'bySubject' });
  for await (const { row } of parked) if (row['outcome'] !== 'conflict') return 'parked';
  return undefined;
}
