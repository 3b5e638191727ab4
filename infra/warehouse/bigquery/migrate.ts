import { hash } from 'node:crypto';
import type { BigQuery, Dataset, TableMetadata } from '@google-cloud/bigquery';
import { WarehouseLimitExceeded, WarehouseTooNew, WarehouseUnavailable } from '../errors.ts';
import { schemaVersionOf, WAREHOUSE_TABLES, type WarehouseTable } from '../tables.ts';
import { connectQueries, type BigQueryPlace } from './connection.ts';
import { describeTable } from './descriptions.ts';
import { codeOf } from './failures.ts';
import { readMetadata, refuseNewer, VERSION_LABEL, versionOf } from './schema-version.ts';
import { fieldsOf, tableMetadata } from './table-schema.ts';
import { eventsExactView, eventsJsonView } from './views/exact-events.ts';
import { usageViews, type MeteredBy } from './views/usage.ts';
import { VIEWS_VERSION, type ViewDefinition } from './views/view.ts';

export interface BigQueryMigration extends BigQueryPlace {
  /**
   * The generations that the usage views show; run again when the catalogue has new ones. Where they are not given, views that are there
   * stay as they are.
   */
  readonly meters?: readonly MeteredBy[] | undefined;
}

/** What was done, for whoever ran it; empty where all was there already. */
export interface BigQueryMigrated {
  readonly changed: readonly string[];
}

/**
 * Brings dataset, tables and views to what this release needs. Only ever adds: columns at the end, nullable. Safe to run again, and by
 * several processes at once. Throws `WarehouseTooNew` where a newer release was here, `WarehouseUnavailable` where BigQuery fails.
 */
export async function migrateBigQuery(migration: BigQueryMigration): Promise<BigQueryMigrated> {
  const bigquery = connectQueries(migration);
  const changed: string[] = [];
  try {
    if (await makeDataset(bigquery, migration)) changed.push(migration.dataset);
    const dataset = bigquery.dataset(migration.dataset);
    for (const table of WAREHOUSE_TABLES) if (await migrateTable(dataset, table)) changed.push(table.name);
    for (const view of viewsOf(migration))
      if (await migrateView(bigquery, migration, view)) changed.push(view.name);
  } catch (error) {
    if (error instanceof WarehouseTooNew || error instanceof WarehouseLimitExceeded) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new WarehouseUnavailable(`${migration.dataset} cannot be migrated: ${message}`, { cause: error });
  }
  return { changed };
}

/** In an order in which each finds those it reads. */
export const viewsOf = (migration: BigQueryMigration): ViewDefinition[] => [
  eventsExactView(migration),
  eventsJsonView(migration),
  ...usageViews(migration, migration.meters ?? []),
];

async function makeDataset(bigquery: BigQuery, { dataset, location }: BigQueryPlace): Promise<boolean> {
  const place = bigquery.dataset(dataset);
  if (await isThere(place)) return false;
  try {
    await bigquery.createDataset(dataset, {
      description: 'Usage events and what follows from them.',
      ...(location === undefined ? {} : { location }),
    });
    return true;
  } catch (error) {
    // Someone else was quicker, and how BigQuery says so is not the same everywhere.
    if (await isThere(place)) return false;
    throw error;
  }
}

const isThere = async (place: { exists(): Promise<[boolean]> }): Promise<boolean> =>
  (await place.exists())[0];

/** The metadata of a table or view; undefined where there is none. */
async function metadataOf(dataset: Dataset, name: string): Promise<TableMetadata | undefined> {
  try {
    return await readMetadata(dataset.table(name));
  } catch (error) {
    if (codeOf(error) === NOT_FOUND) return undefined;
    throw error;
  }
}

const NOT_FOUND = 404;
const PRECONDITION_FAILED = 412;

async function migrateTable(dataset: Dataset, table: WarehouseTable): Promise<boolean> {
  const { name } = table;
  const version = schemaVersionOf(table);
  const found = await metadataOf(dataset, name);
  if (found === undefined) return makeTable(dataset, table);
  const stored = versionOf(found);
  refuseNewer(name, stored, version);
  if (stored === version) return false;
  try {
    // With the etag: if someone else was quicker, this change was made of what is gone.
    const { etag } = found;
    await dataset.table(name).setMetadata({
      ...(etag === undefined ? {} : { etag }),
      schema: { fields: fieldsOf(table) },
      labels: { [VERSION_LABEL]: String(version) },
    });
    return true;
  } catch (error) {
    if (codeOf(error) === PRECONDITION_FAILED) return migrateTable(dataset, table);
    throw error;
  }
}

async function makeTable(dataset: Dataset, table: WarehouseTable): Promise<boolean> {
  try {
    await dataset.createTable(table.name, {
      ...tableMetadata(table),
      description: describeTable(table),
      labels: { [VERSION_LABEL]: String(schemaVersionOf(table)) },
    });
    return true;
  } catch (error) {
    const found = await metadataOf(dataset, table.name);
    if (found === undefined) throw error;
    refuseNewer(table.name, versionOf(found), schemaVersionOf(table));
    return false;
  }
}

/** Says what a view is made of: where it is the same, there is nothing to do. */
const DEFINITION_LABEL = 'millrace_definition';
const DEFINITION_DIGITS = 32;

const definitionOf = ({ sql, description }: ViewDefinition): string =>
  hash('sha256', `${description}\n${sql}`, 'hex').slice(0, DEFINITION_DIGITS);

async function migrateView(
  bigquery: BigQuery,
  place: BigQueryMigration,
  view: ViewDefinition,
): Promise<boolean> {
  const dataset = bigquery.dataset(place.dataset);
  const found = await metadataOf(dataset, view.name);
  const metadata = {
    view: { query: view.sql, useLegacySql: false },
    description: view.description,
    labels: { [VERSION_LABEL]: String(VIEWS_VERSION), [DEFINITION_LABEL]: definitionOf(view) },
  };
  if (found === undefined) return makeView(dataset, view.name, metadata);
  refuseNewer(view.name, versionOf(found), VIEWS_VERSION);
  if (view.fromCatalogue === true && place.meters === undefined) return false;
  if (labelOf(found, DEFINITION_LABEL) === definitionOf(view)) return false;
  if (place.emulator === undefined) await dataset.table(view.name).setMetadata(metadata);
  else {
    // The emulator would keep the old query, so there the view is made anew, which leaves a moment without it.
    await dataset.table(view.name).delete({ ignoreNotFound: true });
    await makeView(dataset, view.name, metadata);
  }
  return true;
}

const labelOf = ({ labels = {} }: TableMetadata, name: string): unknown =>
  (labels as Readonly<Record<string, unknown>>)[name];

async function makeView(dataset: Dataset, name: string, metadata: object): Promise<boolean> {
  try {
    await dataset.createTable(name, metadata);
    return true;
  } catch (error) {
    // Made by someone else meanwhile, of the same release or a newer one.
    if ((await metadataOf(dataset, name)) === undefined) throw error;
    return false;
  }
}
