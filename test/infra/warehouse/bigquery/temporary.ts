import { migrateBigQuery } from '#infra/warehouse/bigquery/migrate.ts';
import { openBigQuery, type BigQueryWarehouse } from '#infra/warehouse/bigquery/open.ts';
import type { BigQueryPlace } from '#infra/warehouse/bigquery/connection.ts';
import type { MeteredBy } from '#infra/warehouse/bigquery/views/usage.ts';
import type { SuiteEmulators } from '#test/support/emulators.ts';

let datasets = 0;

/** A place for a dataset that no other test has: the emulator remembers the schema of a table that is gone. */
export const freshPlace = ({ projectId, bigquery, bigqueryDataset }: SuiteEmulators): BigQueryPlace => ({
  projectId,
  dataset: `${bigqueryDataset}_${++datasets}`,
  emulator: bigquery,
});

/** A fresh, migrated warehouse on the emulator. */
export async function openTemporaryBigQuery(
  emulators: SuiteEmulators,
  meters: readonly MeteredBy[] = [],
): Promise<{ warehouse: BigQueryWarehouse; place: BigQueryPlace; dispose: () => Promise<void> }> {
  const place = freshPlace(emulators);
  await migrateBigQuery({ ...place, meters });
  const warehouse = await openBigQuery(place);
  return { warehouse, place, dispose: () => warehouse.close() };
}
