import type { TableMetadata } from '@google-cloud/bigquery';
import { expect } from 'chai';
import { connectQueries, type BigQueryPlace } from '#infra/warehouse/bigquery/connection.ts';
import { migrateBigQuery } from '#infra/warehouse/bigquery/migrate.ts';
import { openBigQuery } from '#infra/warehouse/bigquery/open.ts';
import { readMetadata, VERSION_LABEL } from '#infra/warehouse/bigquery/schema-version.ts';
import { WarehouseTooNew, WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import { EVENTS } from '#infra/warehouse/tables.ts';
import { ask, eventRow, failureOf } from '#test/contract/warehouse/rows.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { freshPlace } from './temporary.ts';

const VIEWS = ['events_exact', 'events_json', 'usage_minute', 'usage_hour', 'usage_day'];
const TOKENS = { namespace: 'default', label: 'tokens@1', aggregation: 'sum', value: 'tokens' };
const CALLS = { namespace: 'default', label: 'calls@1', aggregation: 'count' };

const metadataOf = (place: BigQueryPlace, name: string): Promise<TableMetadata> =>
  readMetadata(connectQueries(place).dataset(place.dataset).table(name));

const label = (place: BigQueryPlace, name: string, version: string): Promise<unknown> =>
  connectQueries(place)
    .dataset(place.dataset)
    .table(name)
    .setMetadata({ labels: { [VERSION_LABEL]: version } });

describe('the migrations of BigQuery', () => {
  const emulators = useEmulators(['bigquery']);

  it('make the dataset, its tables and its views, and change nothing when they are run again', async () => {
    const place = freshPlace(emulators);
    const migration = { ...place, meters: [TOKENS] };
    expect((await migrateBigQuery(migration)).changed).to.deep.equal([place.dataset, 'events', ...VIEWS]);
    expect((await migrateBigQuery(migration)).changed).to.deep.equal([]);
  });

  it('make a table partitioned by the day of the event, clustered, never read without a filter, with every column described', async () => {
    const place = freshPlace(emulators);
    await migrateBigQuery({ ...place, meters: [] });
    const metadata = await metadataOf(place, 'events');
    expect(metadata).to.deep.include({
      timePartitioning: { type: 'DAY', field: 'time' },
      requirePartitionFilter: true,
      clustering: { fields: ['namespace', 'subject', 'type', 'time'] },
      labels: { [VERSION_LABEL]: '1' },
    });
    const { fields = [] } = metadata.schema as {
      fields?: { name: string; mode: string; description?: string }[];
    };
    expect(fields.map(({ name }) => name)).to.deep.equal(EVENTS.columns.map(({ name }) => name));
    for (const [index, { nullable, type }] of EVENTS.columns.entries()) {
      expect(fields[index]?.mode).to.equal(
        type === 'textList' ? 'REPEATED' : nullable ? 'NULLABLE' : 'REQUIRED',
      );
      expect(fields[index]?.description).to.be.a('string').and.not.empty;
    }
  });

  it('are safe to run by several processes at once', async () => {
    const place = freshPlace(emulators);
    await Promise.all(Array.from({ length: 4 }, () => migrateBigQuery({ ...place, meters: [TOKENS] })));
    const warehouse = await openBigQuery(place);
    await warehouse.appendEvents([eventRow('e-1')]);
    expect(await ask(warehouse, 'events_exact')).to.have.length(1);
    await warehouse.close();
  });

  it('bring a table of an older release up to this one and keep its rows', async () => {
    const place = freshPlace(emulators);
    await migrateBigQuery({ ...place, meters: [] });
    const warehouse = await openBigQuery(place);
    await warehouse.appendEvents([eventRow('e-1')]);
    await label(place, 'events', '0');
    expect(await failureOf(openBigQuery(place))).to.be.instanceOf(WarehouseUnavailable);
    expect((await migrateBigQuery({ ...place, meters: [] })).changed).to.deep.equal(['events']);
    expect(await ask(warehouse, 'events_exact')).to.have.length(1);
    await warehouse.close();
  });

  it('follow the catalogue: the usage views are made again when there are other meters', async () => {
    const place = freshPlace(emulators);
    await migrateBigQuery({ ...place, meters: [TOKENS] });
    const usageViews = VIEWS.filter((name) => name.startsWith('usage_'));
    expect((await migrateBigQuery({ ...place, meters: [TOKENS, CALLS] })).changed).to.deep.equal(usageViews);
    expect((await migrateBigQuery({ ...place, meters: [CALLS, TOKENS] })).changed).to.deep.equal([]);
  });

  it('leave the usage views as they are where the catalogue is not known', async () => {
    const place = freshPlace(emulators);
    await migrateBigQuery({ ...place, meters: [TOKENS] });
    expect((await migrateBigQuery(place)).changed).to.deep.equal([]);
    expect((await migrateBigQuery({ ...place, meters: [TOKENS] })).changed).to.deep.equal([]);
  });

  it('and the driver refuse what a newer release has made', async () => {
    for (const name of ['events', 'events_exact']) {
      const place = freshPlace(emulators);
      await migrateBigQuery({ ...place, meters: [] });
      await label(place, name, '999');
      expect(await failureOf(migrateBigQuery({ ...place, meters: [] })), name).to.be.instanceOf(
        WarehouseTooNew,
      );
      if (name === 'events') expect(await failureOf(openBigQuery(place))).to.be.instanceOf(WarehouseTooNew);
    }
  });

  it('that were never run leave nothing to open', async () => {
    expect(await failureOf(openBigQuery(freshPlace(emulators)))).to.be.instanceOf(WarehouseUnavailable);
  });
});
