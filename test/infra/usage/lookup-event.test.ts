import { expect } from 'chai';
import { hourOf, hourStart, MICROS_PER_DAY } from '#domain/instant.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { lookupEvent } from '#infra/usage/lookup-event.ts';
import { event } from '#infra/usage/tables.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
import { noWarehouseFaults } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  instant,
  nameOf,
  NAMESPACE,
  NOON,
  openStores,
  SOURCE,
  storedEvent,
  SUM_METER,
} from './usage-fixture.ts';
import type { Stores } from './usage-fixture.ts';

const time = '2026-03-10T11:30:10Z';
const look = (stores: Stores, id = 'e-1', more: { namespace?: string; now?: number } = {}) =>
  lookupEvent(stores, { ...nameOf(id), now: stores.clock.now, ...more });

describe('looking up an event', () => {
  it('shows what it said, and every meter, group and hour that it counts in', async () => {
    const stores = await openStores(ALL_METERS);
    const { committedAt } = await commit(stores, [
      delivery({ time, data: { v: '1.50', u: 'ann', m: 'm1' } }),
    ]);
    const found = await look(stores);
    expect(found).to.include({ state: 'counted', identity: identityOf(NAMESPACE, SOURCE, 'e-1') });
    expect(found.event).to.deep.equal({
      type: 'use',
      subject: 'acme',
      time: instant(time),
      committedAt,
      catalogueVersion: 8,
      data: '{"m":"m1","u":"ann","v":"1.50"}',
      attributes: null,
      isAppended: true,
    });
    const hour = hourStart(hourOf(instant(time)));
    const cell = { generation: 1, hour, group: null, value: '1.5' };
    expect(found.cells).to.have.deep.members([
      { ...cell, meter: 'count', value: '1' },
      { ...cell, meter: 'sum-by-model', group: { model: 'm1' } },
      ...['min', 'max', 'average', 'latest', 'level'].map((meter) => ({ ...cell, meter })),
      { ...cell, meter: 'unique', value: '1', distinct: 'ann' },
    ]);
    expect([found.conflicts, found.deadLetters]).to.deep.equal([[], []]);
  });

  it('counts it as it was counted when it was committed, whatever the meters are now', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [delivery()]);
    await putMeter(stores.database, {
      namespace: NAMESPACE,
      key: 'calls',
      definition: { name: 'Calls', eventType: 'use', aggregation: 'count' },
    });
    expect((await look(stores)).cells.map(({ meter }) => meter)).to.deep.equal(['tokens']);
  });

  it("tells one that no meter counts from one that has not come, or is another namespace's", async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [delivery({ type: 'note' })]);
    const unmatched = await look(stores);
    expect([unmatched.state, unmatched.cells, unmatched.event?.type]).to.deep.equal([
      'unmatched',
      [],
      'note',
    ]);
    expect(await look(stores, 'e-2'))
      .to.include({ state: 'unseen' })
      .and.not.to.have.property('event');
    expect(await look(stores, 'e-1', { namespace: 'sandbox' })).to.include({ state: 'unseen' });
  });

  it('shows its conflicts and the refused messages that bore its name', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [delivery({ data: { v: 'many' }, messageId: 'refused' })]);
    await commit(stores, [delivery(), delivery({ data: { v: '2' } })]);
    const { state, conflicts, deadLetters } = await look(stores);
    expect(state).to.equal('counted');
    expect(conflicts.map(({ digest }) => digest)).to.deep.equal([
      delivery({ data: { v: '2' } }).event?.digest,
    ]);
    expect(deadLetters.map(({ messageId, reason }) => [messageId, reason])).to.deep.equal([
      ['refused', 'value_not_a_number'],
    ]);
    const refused = await openStores(SUM_METER);
    await commit(refused, [delivery({ data: { v: 'many' } })]);
    const unseen = await look(refused);
    expect([unseen.state, unseen.deadLetters.length]).to.deep.equal(['unseen', 1]);
  });

  it('says what its row knows until it is in the warehouse, or while it is parked', async () => {
    const stores = await openStores(SUM_METER);
    const committed = await commitDeliveries(stores.writer(), [
      delivery(),
      delivery({ id: 'e-2', type: 'note' }),
    ]);
    const before = await look(stores);
    expect([before.state, before.cells]).to.deep.equal(['counted', []]);
    expect(before.event).to.include({ subject: 'acme', data: null, isAppended: false });
    expect(await look(stores, 'e-2')).to.include({ state: 'unmatched' });
    stores.warehouse.setFaults({ ...noWarehouseFaults, refuse: (row) => row['id'] === 'e-1' });
    await appendEventRows(stores, eventRowsOf(committed));
    const parked = await look(stores);
    expect(parked.event).to.include({ data: '{"v":"1"}', isAppended: false });
    expect(parked.cells.map(({ value }) => value)).to.deep.equal(['1']);
  });

  it('follows it through a void, a restore, and a void that came first', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [delivery()]);
    await voidEvent(stores.writer(), nameOf('e-1'));
    const voided = await look(stores);
    expect([voided.state, voided.cells, voided.event?.data]).to.deep.equal(['void', [], '{"v":"1"}']);
    await restoreEvent(stores.writer(), nameOf('e-1'));
    expect((await look(stores)).cells).to.have.length(1);
    await voidEvent(stores.writer(), nameOf('e-9'));
    expect(await look(stores, 'e-9'))
      .to.include({ state: 'void' })
      .and.not.to.have.property('event');
  });

  it('finds one whose row has expired in the warehouse alone', async () => {
    const stores = await openStores(SUM_METER);
    const { committedAt } = await commit(stores, [delivery()]);
    const identity = storedEvent(stores, 'e-1')!.identity;
    await stores.database.transact(async (tx) => tx.delete(event, [identity]));
    stores.clock.now = NOON + 60 * MICROS_PER_DAY;
    const found = await look(stores);
    expect(found).to.deep.include({ state: 'expired', cells: [] });
    expect(found.event).to.include({ subject: 'acme', time: instant(time), committedAt, data: '{"v":"1"}' });
  });
});
