import { connectQueries, type BigQueryPlace } from '#infra/warehouse/bigquery/connection.ts';
import { migrateBigQuery } from '#infra/warehouse/bigquery/migrate.ts';
import { openBigQuery } from '#infra/warehouse/bigquery/open.ts';
import { qualified } from '#infra/warehouse/bigquery/qualified.ts';
import { freshPlace } from '#test/infra/warehouse/bigquery/temporary.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { warehouseContract } from './suite.ts';

describe('BigQuery', () => {
  const emulators = useEmulators(['bigquery']);
  let place: BigQueryPlace;

  before(async () => {
    place = freshPlace(emulators);
    await migrateBigQuery({ ...place, meters: [] });
  });

  // One dataset, emptied after each test: the emulator keeps the memory of every table that it ever had.
  warehouseContract('BigQuery', async () => {
    const warehouse = await openBigQuery(place);
    return {
      warehouse,
      dispose: async () => {
        await warehouse.close();
        await connectQueries(place).query(`TRUNCATE TABLE ${qualified(place, 'events')}`);
      },
    };
  });
});
