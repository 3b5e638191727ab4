import type { BigQuery, Table, TableMetadata } from '@google-cloud/bigquery';
import { WarehouseTooNew, WarehouseUnavailable } from '../errors.ts';
import { schemaVersionOf, WAREHOUSE_TABLES, type WarehouseTable } from '../tables.ts';

/** The label of a table or view that says which version of its declaration made it. */
export const VERSION_LABEL = 'millrace_version';

const DIGITS = /^\d{1,9}$/;

/** The version that a label says; 0 where there is none. */
export function versionOf({ labels = {} }: TableMetadata): number {
  const label = (labels as Readonly<Record<string, unknown>>)[VERSION_LABEL];
  return typeof label === 'string' && DIGITS.test(label) ? Number(label) : 0;
}

/** Throws `WarehouseTooNew` where a newer release made the table or view: this one would misread it, or take it back. */
export function refuseNewer(name: string, found: number, known: number): void {
  if (found > known)
    throw new WarehouseTooNew(
      `${name} is of schema version ${found}, this release knows ${known}: upgrade it`,
    );
}

/** The client types what it read as anything. */
export async function readMetadata(table: Table): Promise<TableMetadata> {
  const answer: readonly unknown[] = await table.getMetadata();
  return answer[0] as TableMetadata;
}

/** Whether the tables are those of this release. Throws `WarehouseTooNew` or `WarehouseUnavailable`. */
export async function checkSchema(bigquery: BigQuery, dataset: string): Promise<void> {
  for (const table of WAREHOUSE_TABLES) {
    const known = schemaVersionOf(table);
    const found = await storedVersion(bigquery, dataset, table);
    refuseNewer(table.name, found, known);
    if (found < known)
      throw new WarehouseUnavailable(
        `${dataset}.${table.name} is of schema version ${found}, this release needs ${known}: run the migrations`,
      );
  }
}

async function storedVersion(bigquery: BigQuery, dataset: string, table: WarehouseTable): Promise<number> {
  try {
    return versionOf(await readMetadata(bigquery.dataset(dataset).table(table.name)));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new WarehouseUnavailable(`${dataset}.${table.name} cannot be read: ${message}`, { cause: error });
  }
}
