import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { fromHex } from '#domain/metering/hash128.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { appendParked } from '#infra/usage/tables.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
import { RowRefused, WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import { noWarehouseFaults } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { WarehouseRow } from '#infra/warehouse/warehouse.ts';
import {
  commit,
  delivery,
  errorOf,
  exactEvents,
  nameOf,
  NAMESPACE,
  NOON,
  openStores,
  storedEvent,
  SUM_METER,
} from './usage-fixture.ts';
import type { Stores } from './usage-fixture.ts';

const outcomes = (rows: readonly EventRow[]): string[] => rows.map(({ outcome }) => outcome);

/** The warehouse refuses these rows, however often they are tried. */
const refuseRows = ({ warehouse }: Stores, refuse: (row: WarehouseRow) => boolean): void =>
  warehouse.setFaults({ ...noWarehouseFaults, refuse });

describe('what a commit owes the warehouse', () => {
  it('an accepted event: with its commit time, catalogue version and the meters that count it', async () => {
    const stores = await openStores(SUM_METER);
    const committed = await commitDeliveries(stores.writer(), [
      delivery(),
      delivery({ id: 'e-2', type: 'other' }),
    ]);
    const { committedAt } = committed;
    const [counted, unmatched] = eventRowsOf(committed);
    expect(counted).to.include({
      outcome: 'accepted',
      id: 'e-1',
      committedAt,
      catalogueVersion: 1,
      data: '{"v":"1"}',
      publishedAt: NOON,
    });
    expect(counted?.matchedMeters).to.deep.equal(['tokens@1']);
    expect(unmatched).to.deep.include({ outcome: 'accepted', id: 'e-2', matchedMeters: [] });
  });

  it('a conflict, and nothing for a duplicate beside its first copy', async () => {
    const stores = await openStores(SUM_METER);
    const committed = await commitDeliveries(stores.writer(), [
      delivery(),
      delivery(),
      delivery({ data: { v: '2' } }),
    ]);
    expect(outcomes(eventRowsOf(committed))).to.deep.equal(['accepted', 'conflict']);
  });

  it('an event found committed before: once more, as it was committed then, since that append may have been lost', async () => {
    const stores = await openStores(SUM_METER);
    const { committedAt } = await commitDeliveries(stores.writer(), [delivery({ time: undefined })]);
    await putMeter(stores.database, {
      namespace: NAMESPACE,
      key: 'calls',
      definition: { name: 'Calls', eventType: 'use', aggregation: 'count' },
    });
    const again = await commitDeliveries(stores.writer(), [
      delivery({ time: undefined, publishTime: NOON + 5 }),
    ]);
    const rows = eventRowsOf(again);
    expect(outcomes(rows)).to.deep.equal(['accepted']);
    expect(rows[0]).to.deep.include({
      committedAt,
      catalogueVersion: 1,
      matchedMeters: ['tokens@1'],
      time: NOON,
      publishedAt: NOON + 5,
    });
  });

  it('the first copy of a void that came before it, also when it comes again: the restore needs what it said', async () => {
    const stores = await openStores(SUM_METER);
    await voidEvent(stores.writer(), nameOf('e-1'));
    // The answer of the first append is never seen: the worker crashed between commit and append.
    expect(outcomes(eventRowsOf(await commitDeliveries(stores.writer(), [delivery()])))).to.deep.equal([
      'void',
    ]);
    await commit(stores, [delivery()]);
    expect(stores.warehouse.rows('events').map((row) => row['outcome'])).to.deep.equal(['void']);
    expect(await restoreEvent(stores.writer(), nameOf('e-1'))).to.equal('restored');
    expect(storedEvent(stores, 'e-1')?.state).to.equal('live');
  });

  it('a copy of a voided event hides nothing that a restore has brought back', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [delivery()]);
    await voidEvent(stores.writer(), nameOf('e-1'));
    const late = eventRowsOf(await commitDeliveries(stores.writer(), [delivery()]));
    await restoreEvent(stores.writer(), nameOf('e-1'));
    await appendEventRows(stores, late);
    const shown = await exactEvents(stores);
    expect(shown.map((row) => [row['id'], row['committed_at']])).to.deep.equal([
      ['e-1', formatInstant(storedEvent(stores, 'e-1')!.committedAt)],
    ]);
  });
});

describe('a row that the warehouse refuses', () => {
  it('is parked with its error, and the others are appended', async () => {
    const stores = await openStores(SUM_METER);
    refuseRows(stores, (row) => row['id'] === 'e-2');
    const committed = await commitDeliveries(
      stores.writer(),
      ['e-1', 'e-2', 'e-3'].map((id) => delivery({ id })),
    );
    expect(await appendEventRows(stores, eventRowsOf(committed))).to.equal(1);
    expect(stores.warehouse.rows('events').map((row) => row['id'])).to.deep.equal(['e-1', 'e-3']);
    const [parked] = stores.database.rows(appendParked);
    expect(parked).to.deep.include({
      namespace: NAMESPACE,
      subject: 'acme',
      identity: storedEvent(stores, 'e-2')?.identity,
    });
    expect(parked?.error).to.contain('out_of_range');
    expect(fromHex(String(parked?.row['identity']))).to.equal(parked?.identity);
  });

  it('that counts is not displaced by a conflict of its identity', async () => {
    const stores = await openStores(SUM_METER);
    refuseRows(stores, () => true);
    const committed = await commitDeliveries(stores.writer(), [delivery(), delivery({ data: { v: '2' } })]);
    expect(await appendEventRows(stores, eventRowsOf(committed))).to.equal(2);
    expect(stores.database.rows(appendParked).map(({ row }) => row['outcome'])).to.deep.equal(['accepted']);
  });

  it('one of very many is no row at fault: the error goes up, and all rows are appended again later', async () => {
    const stores = await openStores(SUM_METER);
    refuseRows(stores, () => true);
    const many = Array.from({ length: 102 }, (_, i) => delivery({ id: `e-${i}` }));
    const rows = eventRowsOf(await commitDeliveries(stores.writer(), many));
    expect(await errorOf(() => appendEventRows(stores, rows))).to.be.instanceOf(RowRefused);
  });

  it('is none where the warehouse is down: nothing is parked', async () => {
    const stores = await openStores(SUM_METER);
    stores.warehouse.failFor(1_000_000);
    const rows = eventRowsOf(await commitDeliveries(stores.writer(), [delivery()]));
    expect(await errorOf(() => appendEventRows(stores, rows))).to.be.instanceOf(WarehouseUnavailable);
    expect(stores.database.rows(appendParked)).to.deep.equal([]);
  });
});
