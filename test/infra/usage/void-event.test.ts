import { expect } from 'chai';
import { dayOf, dayStart } from '#domain/instant.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { catalogue } from '#infra/catalogue/tables.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { distinctValue, event, usageDay, usageHour } from '#infra/usage/tables.ts';
import { NotYetAppended } from '#infra/usage/stored-event.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  errorOf,
  exactEvents,
  expectUsage,
  nameOf,
  NAMESPACE,
  NOON,
  openStores,
  outcomesOf,
  storedEvent,
  SUM_METER,
} from './usage-fixture.ts';
import type { Said, Stores } from './usage-fixture.ts';

const rich = (id: string, time: string, v: string, u = 'ann') =>
  delivery({ id, time, data: { v, u, m: 'm1' } });
const YESTERDAY = dayOf(NOON) - 1;

/** Which meters have cells that wait to be recomputed. */
const dirtyMeters = ({ database }: Stores): string[] => [
  ...new Set(
    database
      .rows(usageHour)
      .filter(({ dirty }) => dirty)
      .map(({ meter }) => meter),
  ),
];

/** The roller got as far as closing the days, and no further. */
async function closeDays({ database }: Stores, through: number): Promise<void> {
  await database.transact(async (tx) => {
    const [row] = await tx.read(catalogue, [[NAMESPACE]]);
    if (row) tx.upsert(catalogue, { ...row, closedThrough: through });
  });
}

describe('voiding an event', () => {
  it('takes it out of every cell, as if it had never been, where it had its minute to itself', async () => {
    const stores = await openStores(ALL_METERS);
    const [kept, gone] = [
      rich('e-1', '2026-03-10T11:30:00Z', '2'),
      rich('e-2', '2026-03-10T11:31:00Z', '7', 'bob'),
    ];
    await commit(stores, [kept, gone]);
    expect(await voidEvent(stores.writer(), nameOf('e-2'))).to.equal('voided');
    expectUsage(stores, { live: [kept], voided: [gone] });
    expect(dirtyMeters(stores)).to.deep.equal([]);
    expect(storedEvent(stores, 'e-2')).to.include({ state: 'void', digest: gone.event?.digest });
  });

  it('marks only cells dirty whose extreme, or latest, shared its minute; sums stay exact', async () => {
    const stores = await openStores(ALL_METERS);
    const kept = rich('e-1', '2026-03-10T11:30:00Z', '2');
    const gone = rich('e-2', '2026-03-10T11:30:01Z', '7', 'bob');
    await commit(stores, [kept, gone]);
    await voidEvent(stores.writer(), nameOf('e-2'));
    expect(dirtyMeters(stores)).to.have.members(['max', 'latest']);
    expectUsage(stores, { live: [kept], voided: [gone] });
  });

  it('takes back the right amount whichever slots counted the events of its minute', async () => {
    const time = '2026-03-10T11:30:00Z';
    for (const gone of [0, 1, 2, 3]) {
      const stores = await openStores(ALL_METERS);
      const events = ['10', '20', '30', '40'].map((v, i) => rich(`e-${i}`, time, v));
      for (const [i, each] of events.entries()) await commit(stores, [each], i % 2);
      await voidEvent(stores.writer(), nameOf(`e-${gone}`));
      expectUsage(stores, { live: events.filter((_, i) => i !== gone), voided: [events[gone]!] });
    }
  });

  it('takes back all events of two slots one by one, and leaves nothing', async () => {
    const stores = await openStores(SUM_METER);
    const events = ['1', '2', '3', '4'].map((v, i) => delivery({ id: `e-${i}`, data: { v } }));
    for (const [i, each] of events.entries()) await commit(stores, [each], i % 2);
    for (const id of ['e-2', 'e-0', 'e-3', 'e-1']) await voidEvent(stores.writer(), nameOf(id));
    expectUsage(stores, { live: [], voided: events });
  });

  it('removes a distinct value with its last event, not before', async () => {
    const stores = await openStores(ALL_METERS);
    const events = [rich('e-1', '2026-03-10T11:30:00Z', '1'), rich('e-2', '2026-03-10T11:40:00Z', '1')];
    await commit(stores, events);
    await voidEvent(stores.writer(), nameOf('e-1'));
    expect(stores.database.rows(distinctValue).map(({ references }) => references)).to.deep.equal([1]);
    await voidEvent(stores.writer(), nameOf('e-2'));
    expect(stores.database.rows(distinctValue)).to.deep.equal([]);
  });

  it('takes it back in the generations that counted it, and in no other', async () => {
    const stores = await openStores(SUM_METER);
    const [early, late] = [delivery(), delivery({ id: 'e-2' })];
    await commit(stores, [early]);
    await putMeter(stores.database, {
      namespace: NAMESPACE,
      key: 'tokens',
      definition: { ...SUM_METER['tokens']!, aggregation: 'max' },
    });
    await commit(stores, [late]);
    await voidEvent(stores.writer(), nameOf('e-1'));
    expectUsage(stores, { live: [late], voided: [early] });
  });

  it('changes a rolled day and the levels of all later days', async () => {
    const stores = await openStores(ALL_METERS);
    const days = ['2026-03-07', '2026-03-08', '2026-03-09'];
    const events = days.map((day, i) => rich(`e-${i}`, `${day}T10:00:00Z`, `${i + 1}`));
    await commit(stores, events);
    await rollDays(stores.database, NAMESPACE, NOON);
    await voidEvent(stores.writer(), nameOf('e-0'));
    expectUsage(stores, { live: events.slice(1), voided: [events[0]!], rolledThrough: YESTERDAY });
  });

  it('in a day that is closed and not rolled yet leaves a day row that the roller can make right', async () => {
    const stores = await openStores(ALL_METERS);
    const [gone, kept] = [rich('e-1', '2026-03-09T10:00:00Z', '5'), rich('e-2', '2026-03-09T10:00:30Z', '3')];
    await commit(stores, [gone, kept]);
    await closeDays(stores, YESTERDAY);
    await voidEvent(stores.writer(), nameOf('e-1'));
    await rollDays(stores.database, NAMESPACE, NOON);
    expectUsage(stores, { live: [kept], voided: [gone], rolledThrough: YESTERDAY });
  });

  it('marks the day dirty with its hour', async () => {
    const stores = await openStores({ max: ALL_METERS['max']! });
    const events = ['2', '7'].map((v, i) => rich(`e-${i}`, '2026-03-09T10:00:00Z', v));
    await commit(stores, events);
    await rollDays(stores.database, NAMESPACE, NOON);
    await voidEvent(stores.writer(), nameOf('e-1'));
    expect(stores.database.rows(usageDay).map(({ dirty }) => dirty)).to.deep.equal([true]);
  });

  it('waits until the event is in the warehouse', async () => {
    const stores = await openStores(SUM_METER);
    await commitDeliveries(stores.writer(), [delivery()]);
    expect(await errorOf(() => voidEvent(stores.writer(), nameOf('e-1')))).to.be.instanceOf(NotYetAppended);
    expect(storedEvent(stores, 'e-1')?.state).to.equal('live');
  });

  it('repeated, changes nothing, and says once more in the warehouse that the event is void', async () => {
    const stores = await openStores(SUM_METER);
    const one = delivery();
    await commit(stores, [one]);
    await voidEvent(stores.writer(), nameOf('e-1'));
    expect(await voidEvent(stores.writer(), nameOf('e-1'))).to.equal('already');
    expectUsage(stores, { live: [], voided: [one] });
    expect(stores.warehouse.rows('events').map((row) => row['outcome'])).to.deep.equal([
      'accepted',
      'void',
      'void',
    ]);
  });

  it('of an event that never came is ahead of it, and stays so when repeated', async () => {
    const stores = await openStores(SUM_METER);
    expect(await voidEvent(stores.writer(), nameOf('e-1'))).to.equal('ahead');
    expect(await voidEvent(stores.writer(), nameOf('e-1'))).to.equal('ahead');
    expect(stores.database.rows(event).map(({ state, digest }) => [state, digest])).to.deep.equal([
      ['void', null],
    ]);
  });
});

describe('restoring an event', () => {
  const said: Said = { data: { v: '5', u: 'ann', m: 'm1' } };

  it('brings it back with the effects, commit time and catalogue version it had', async () => {
    const stores = await openStores(ALL_METERS);
    const one = delivery(said);
    await commit(stores, [one]);
    const before = storedEvent(stores, 'e-1');
    await voidEvent(stores.writer(), nameOf('e-1'));
    expect(await restoreEvent(stores.writer(), nameOf('e-1'))).to.equal('restored');
    expect(storedEvent(stores, 'e-1')).to.deep.equal(before);
    expectUsage(stores, { live: [one], voided: [one] });
  });

  it('of a void that came first counts the event from then on, once', async () => {
    const stores = await openStores(ALL_METERS);
    const one = delivery(said);
    await voidEvent(stores.writer(), nameOf('e-1'));
    await commit(stores, [one]);
    expect(await restoreEvent(stores.writer(), nameOf('e-1'))).to.equal('restored');
    expect(outcomesOf(await commit(stores, [delivery(said)]))).to.deep.equal(['duplicate']);
    expectUsage(stores, { live: [one], voided: [one] });
    const shown = await exactEvents(stores);
    expect(shown.map((row) => row['id'])).to.deep.equal(['e-1']);
  });

  it('of a void whose event never came forgets the void: the event will count', async () => {
    const stores = await openStores(SUM_METER);
    await voidEvent(stores.writer(), nameOf('e-1'));
    expect(await restoreEvent(stores.writer(), nameOf('e-1'))).to.equal('forgotten');
    const one = delivery();
    expect(outcomesOf(await commit(stores, [one]))).to.deep.equal(['accepted']);
    expectUsage(stores, { live: [one] });
  });

  it('of an event that is live, or was never seen, changes nothing', async () => {
    const stores = await openStores(SUM_METER);
    const one = delivery();
    expect(await restoreEvent(stores.writer(), nameOf('e-1'))).to.equal('unseen');
    await commit(stores, [one]);
    expect(await restoreEvent(stores.writer(), nameOf('e-1'))).to.equal('already');
    expectUsage(stores, { live: [one] });
  });

  it('counts it again in a day that was rolled meanwhile', async () => {
    const stores = await openStores(ALL_METERS);
    const events = ['2026-03-08', '2026-03-09'].map((day, i) => rich(`e-${i}`, `${day}T10:00:00Z`, '4'));
    await commit(stores, events);
    await voidEvent(stores.writer(), nameOf('e-0'));
    await rollDays(stores.database, NAMESPACE, dayStart(YESTERDAY + 1));
    await restoreEvent(stores.writer(), nameOf('e-0'));
    expectUsage(stores, { live: events, voided: [events[0]!], rolledThrough: YESTERDAY });
  });
});
