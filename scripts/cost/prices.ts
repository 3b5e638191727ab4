/**
 * Public list prices in US dollars, region us-central1, without free tiers, credits or commitments. They are inputs. Only Pub/Sub's
 * throughput and Cloud Run's CPU were compared with the pages; check the others before you rely on a sum, and change them here.
 */
export const PRICES_AS_OF = '2026-11';

/** A price and where it is published. */
export interface Price {
  readonly dollars: number;
  readonly per: string;
  readonly of: string;
  readonly page: 'pubsub' | 'spanner' | 'bigquery' | 'run' | 'storage';
}

const price = (page: Price['page'], of: string, dollars: number, per: string): Price => ({
  dollars,
  per,
  of,
  page,
});

export const PRICES = {
  pubsubThroughput: price('pubsub', 'Pub/Sub: published, and delivered to workers', 40, 'TiB'),
  pubsubExport: price('pubsub', 'Pub/Sub: delivered to Cloud Storage', 50, 'TiB'),
  pubsubRetention: price('pubsub', 'Pub/Sub: kept by a topic', 0.27, 'GiB and month'),
  spannerNode: price('spanner', 'Spanner Enterprise, regional: a node', 1.23, 'hour'),
  spannerStorage: price('spanner', 'Spanner, regional: stored', 0.3, 'GB and month'),
  spannerBackup: price('spanner', 'Spanner, regional: backups', 0.1, 'GB and month'),
  bigqueryWrite: price('bigquery', 'BigQuery: Storage Write API', 0.025, 'GiB'),
  bigqueryActive: price(
    'bigquery',
    'BigQuery: physical storage, changed within 90 days',
    0.04,
    'GiB and month',
  ),
  bigqueryLongTerm: price('bigquery', 'BigQuery: physical storage, older', 0.02, 'GiB and month'),
  bigqueryQuery: price('bigquery', 'BigQuery: read by queries', 6.25, 'TiB'),
  runCpu: price('run', 'Cloud Run, billed by instance: CPU', 0.000018, 'vCPU-second'),
  runMemory: price('run', 'Cloud Run, billed by instance: memory', 0.000002, 'GiB-second'),
  storageStandard: price('storage', 'Cloud Storage: standard', 0.02, 'GB and month'),
  storageColdline: price('storage', 'Cloud Storage: coldline', 0.004, 'GB and month'),
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;
