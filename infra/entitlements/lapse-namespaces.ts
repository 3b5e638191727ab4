import type { Instant } from '#domain/instant.ts';
import { readNamespaces } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import { freshnessOf, readFeeds } from '#infra/usage/watermark.ts';
import { lapseHolds } from './lapse-holds.ts';

/**
 * Ends the holds of every namespace whose events cannot come any more: a part of the pipeline's upkeep. One namespace whose holds cannot
 * be ended keeps no other from it; its error is thrown at the end. Returns how many lapsed.
 */
export async function lapseNamespaces(database: Database, now: Instant): Promise<number> {
  const feeds = await readFeeds(database);
  const errors: unknown[] = [];
  let lapsed = 0;
  for (const namespace of await readNamespaces(database)) {
    try {
      const freshness = freshnessOf(feeds, namespace);
      lapsed += (await lapseHolds(database, namespace, { now, freshness })).lapsed;
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'the holds of some namespaces were not ended');
  return lapsed;
}
