import type { Instant } from '#domain/instant.ts';
import { readBackend } from '#infra/cloud/backend.ts';
import { openCloud } from '#infra/cloud/open-cloud.ts';
import { prepareIfOnEmulators } from '#infra/cloud/prepare-cloud.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import type { Database } from '#infra/database/database.ts';
import { openSpanner } from '#infra/database/spanner/open.ts';
import { openSqlite } from '#infra/database/sqlite/open.ts';
import { LOCAL_TABLES, localPaths, openLocal } from '#infra/local/open-local.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { dataDirectory } from './data-directory.ts';

export interface OpenPlatform {
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: () => Instant;
  /** The command that asks, in the statistics of the database. */
  readonly tag: string;
}

/** The stores of the platform that the environment names: on Google Cloud with `MILLRACE_BACKEND=gcp`, else those in `MILLRACE_DATA_DIR`. */
export async function openPlatform({ environment, clock, tag }: OpenPlatform): Promise<OpenedStores> {
  if (readBackend(environment) === 'embedded')
    return openLocal({ directory: dataDirectory(environment), clock });
  const settings = readCloudSettings(environment);
  await prepareIfOnEmulators(settings, clock);
  return openCloud({ settings, clock, tag });
}

/** Opens the platform for a piece of work, and closes it whatever becomes of that. */
export async function withPlatform<Result>(
  options: OpenPlatform,
  work: (stores: OpenedStores) => Promise<Result>,
): Promise<Result> {
  const stores = await openPlatform(options);
  try {
    return await work(stores);
  } finally {
    await stores.close();
  }
}

/** Only the database: whoever has no right to topics and warehouse can open it, too. */
export async function openPlatformDatabase({ environment, clock, tag }: OpenPlatform): Promise<Database> {
  if (readBackend(environment) === 'embedded')
    return openSqlite({ path: localPaths(dataDirectory(environment)).database, tables: LOCAL_TABLES, clock });
  const { projectId, spanner } = readCloudSettings(environment);
  return openSpanner({ projectId, ...spanner, tables: CLOUD_TABLES, clock, tag });
}
