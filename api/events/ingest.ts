import { createTokenBuckets, type BucketLimits, type TokenBuckets } from '#infra/access/token-buckets.ts';
import { createRecentCatalogues, type CatalogueSource, type RecentCatalogues } from './recent-catalogues.ts';

/** What this process keeps for taking events. */
export interface Ingest {
  readonly buckets: TokenBuckets;
  readonly catalogues: RecentCatalogues;
}

export const createIngest = (source: CatalogueSource, limits: BucketLimits): Ingest => ({
  buckets: createTokenBuckets(limits),
  catalogues: createRecentCatalogues(source),
});
