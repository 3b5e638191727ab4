import { parseArgs } from 'node:util';
import { readCloudSettings, type CloudSettings } from '#infra/cloud/settings.ts';
import { readUsageMeters } from '#infra/cloud/usage-meters.ts';
import { migrateSpanner } from '#infra/database/spanner/migrate.ts';
import { openSpanner } from '#infra/database/spanner/open.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { migrateBigQuery } from '#infra/warehouse/bigquery/migrate.ts';
import type { MeteredBy } from '#infra/warehouse/bigquery/views/usage.ts';
import { UsageError, type Invocation, type Terminal } from './terminal.ts';

export const MIGRATE_HELP = `npm run migrate -- [--only database|warehouse]

Brings the schemas on Google Cloud to what this release needs: missing tables, indexes and columns are made, and numbered migrations
are run. What runs already goes on meanwhile: the release before works on the new schema. Any number may be started at once, one does
the work; broken off, it is started again. It refuses a database of a newer release.

  --only database|warehouse   only Spanner, or only BigQuery (whose usage views are made from the meters in Spanner)

The project and the names are in the environment, as for all programs. On emulators the instance and the database are made too.`;

type Store = 'database' | 'warehouse';

const STORES: Readonly<Record<Store, (settings: CloudSettings, terminal: Terminal) => Promise<void>>> = {
  database: migrateDatabase,
  warehouse: migrateWarehouse,
};

const isStore = (name: string): name is Store => name in STORES;

/** What the usage views show: the meters of all namespaces, as the database has them. */
async function metersOf({ projectId, spanner }: CloudSettings): Promise<MeteredBy[]> {
  const clock = systemScheduler.now;
  const database = await openSpanner({ projectId, ...spanner, tables: CLOUD_TABLES, clock });
  try {
    return await readUsageMeters(database);
  } finally {
    await database.close();
  }
}

/** `npm run migrate`: a step of each deployment, before its programs start. */
export async function migrateCommand({ args, environment, terminal }: Invocation): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return terminal.out(`${MIGRATE_HELP}\n`);
  if (values.only !== undefined && !isStore(values.only))
    throw new UsageError(`--only is database or warehouse, not ${values.only}`);
  const settings = readCloudSettings(environment);
  for (const store of values.only === undefined ? (['database', 'warehouse'] as const) : [values.only])
    await STORES[store](settings, terminal);
}

async function migrateDatabase({ projectId, spanner }: CloudSettings, terminal: Terminal): Promise<void> {
  const { from, to, statements } = await migrateSpanner({
    projectId,
    ...spanner,
    tables: CLOUD_TABLES,
    clock: systemScheduler.now,
  });
  const change = from === to ? `is of version ${to}` : `was of version ${from}, is of ${to}`;
  terminal.out(`database ${spanner.database}: ${change}; statements applied: ${statements}\n`);
}

async function migrateWarehouse(settings: CloudSettings, terminal: Terminal): Promise<void> {
  const { projectId, bigquery } = settings;
  const { changed } = await migrateBigQuery({
    projectId,
    ...bigquery,
    meters: await metersOf(settings),
  });
  const what = changed.length === 0 ? 'nothing to change' : `made or changed: ${changed.join(', ')}`;
  terminal.out(`warehouse ${bigquery.dataset}: ${what}\n`);
}
