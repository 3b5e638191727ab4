import { compileCatalogue, type Catalogue } from '#domain/metering/catalogue.ts';
import type { BackfilledDays } from '#domain/metering/counted-as.ts';
import type { MeterState, MeterVersion } from '#domain/metering/meter.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import type { Row } from '#infra/usage/tables.ts';
import { loadSchemas, type EventSchema } from './load-schemas.ts';
import { catalogue, meterBackfill, meterVersion } from './tables.ts';

export type { EventSchema } from './load-schemas.ts';

/** The catalogue row of a namespace that has none yet: version 0, no day closed. */
export const emptyCatalogueRow = (namespace: string) => ({
  namespace,
  version: 0,
  closedThrough: NO_DAY,
  rolledThrough: NO_DAY,
});
/** The day before 1970: no event is that old. */
export const NO_DAY = -1;

export type CatalogueRow = ReturnType<typeof emptyCatalogueRow>;

export async function readCatalogueRow(from: Reads, namespace: string): Promise<CatalogueRow> {
  const [row] = await from.read(catalogue, [[namespace]]);
  return row ?? emptyCatalogueRow(namespace);
}

/** The rows of several namespaces, in their order. */
export async function readCatalogueRows(from: Reads, namespaces: readonly string[]): Promise<CatalogueRow[]> {
  if (namespaces.length === 0) return [];
  const rows = await from.read(
    catalogue,
    namespaces.map((namespace) => [namespace]),
  );
  return namespaces.map((namespace, i) => rows[i] ?? emptyCatalogueRow(namespace));
}

/** Every namespace that has a catalogue: usage is only where there are meters. */
export async function readNamespaces(from: Reads): Promise<string[]> {
  const namespaces: string[] = [];
  for await (const { namespace } of from.scan(catalogue, { prefix: [] })) namespaces.push(namespace);
  return namespaces;
}

export type MeterVersionRow = Omit<Row<typeof meterVersion>, 'state'> & Pick<MeterVersion, 'state'>;

/** All versions of a meter, or of all meters of the namespace, by key and version. */
export async function readMeterVersions(
  from: Reads,
  namespace: string,
  key?: string,
): Promise<MeterVersion[]> {
  const [rows, backfilled] = await Promise.all([
    readMeterRows(from, namespace, key),
    readBackfilledDays(from, namespace, key),
  ]);
  return rows.map((row) => {
    const days = backfilled.get(`${row.key} ${row.version}`);
    return days === undefined ? versionOf(row) : { ...versionOf(row), backfilled: days };
  });
}

/** What backfills have counted, of those that are complete. */
async function readBackfilledDays(
  from: Reads,
  namespace: string,
  key: string | undefined,
): Promise<ReadonlyMap<string, BackfilledDays>> {
  const days = new Map<string, BackfilledDays>();
  const prefix = key === undefined ? [namespace] : [namespace, key];
  for await (const { meter, version, state, firstDay, endDay } of from.scan(meterBackfill, { prefix }))
    if (state === 'complete') days.set(`${meter} ${version}`, { firstDay, endDay });
  return days;
}

export async function readMeterRows(
  from: Reads,
  namespace: string,
  key?: string,
): Promise<MeterVersionRow[]> {
  const prefix = key === undefined ? [namespace] : [namespace, key];
  return Array.fromAsync(from.scan(meterVersion, { prefix }), (row) => ({
    ...row,
    state: row.state as MeterState,
  }));
}

/** What others than the catalogue need to know of a row. */
export const versionOf = (row: MeterVersionRow): MeterVersion => {
  const { key, version, generation, definition, state, since, until } = row;
  return { key, version, generation, definition, state, since, until };
};

/** A namespace's catalogue as the pipeline works with it: the row a commit checks itself against, and the meters ready for matching. */
export interface LoadedCatalogue {
  readonly row: CatalogueRow;
  readonly current: Catalogue;
  /** The meters as they stood at an earlier version: what an event committed then was counted with. */
  at(version: number): Catalogue;
  /** The schema of an event type at the current version, if it has one. */
  schemaOf(eventType: string): EventSchema | undefined;
}

export async function loadCatalogue(database: Database, namespace: string): Promise<LoadedCatalogue> {
  // The row first: if a version is made in between, the commit finds the row changed and loads again.
  const row = await readCatalogueRow(database, namespace);
  const versions = await readMeterVersions(database, namespace);
  const schemaOf = await loadSchemas(database, namespace);
  const compiled = new Map<number, Catalogue>();
  const at = (version: number): Catalogue => {
    let found = compiled.get(version);
    if (found === undefined) {
      found = compileCatalogue(namespace, version, versions);
      compiled.set(version, found);
    }
    return found;
  };
  return { row, current: at(row.version), at, schemaOf };
}
