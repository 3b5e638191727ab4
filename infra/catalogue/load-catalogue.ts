import { compileCatalogue, type Catalogue } from '#domain/metering/catalogue.ts';
import type { MeterState, MeterVersion } from '#domain/metering/meter.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { catalogue, meterVersion } from './tables.ts';

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

export async function readCatalogueRow(
  from: Database | Transaction,
  namespace: string,
): Promise<CatalogueRow> {
  const [row] = await from.read(catalogue, [[namespace]]);
  return row ?? emptyCatalogueRow(namespace);
}

export async function readMeterVersions(
  from: Database | Transaction,
  namespace: string,
  key?: string,
): Promise<MeterVersion[]> {
  const versions: MeterVersion[] = [];
  const prefix = key === undefined ? [namespace] : [namespace, key];
  for await (const row of from.scan(meterVersion, { prefix })) {
    const { version, generation, definition, since, until } = row;
    versions.push({
      key: row.key,
      version,
      generation,
      definition,
      state: row.state as MeterState,
      since,
      until,
    });
  }
  return versions;
}

/** A namespace's catalogue as the pipeline works with it: the row a commit checks itself against, and the meters ready for matching. */
export interface LoadedCatalogue {
  readonly row: CatalogueRow;
  readonly current: Catalogue;
  /** The meters as they stood at an earlier version: what an event committed then was counted with. */
  at(version: number): Catalogue;
}

export async function loadCatalogue(database: Database, namespace: string): Promise<LoadedCatalogue> {
  // The row first: if a version is made in between, the commit finds the row changed and loads again.
  const row = await readCatalogueRow(database, namespace);
  const versions = await readMeterVersions(database, namespace);
  const compiled = new Map<number, Catalogue>();
  const at = (version: number): Catalogue => {
    let found = compiled.get(version);
    if (found === undefined) {
      found = compileCatalogue(namespace, version, versions);
      compiled.set(version, found);
    }
    return found;
  };
  return { row, current: at(row.version), at };
}
