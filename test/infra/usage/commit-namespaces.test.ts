import { expect } from 'chai';
import { dayOf } from '#domain/instant.ts';
import { loadCatalogue } from '#infra/catalogue/load-catalogue.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { catalogue, meterVersion } from '#infra/catalogue/tables.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { createRoller } from '#infra/usage/roll-namespaces.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { event, usageDay } from '#infra/usage/tables.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import { storeWatermark } from '#infra/usage/watermark.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  errorOf,
  exactEvents,
  expectUsage,
  NOON,
  openStores,
  outcomesOf,
  SOURCE,
  SUM_METER,
} from './usage-fixture.ts';
import type { Said, Stores } from './usage-fixture.ts';

const BOTH = ['default', 'sandbox'];
const inBoth = (said: Said = {}) => BOTH.map((namespace) => delivery({ ...said, namespace }));
const TODAY = dayOf(NOON);

describe('a batch of several namespaces', () => {
  it('counts the same source and id once in each, by its own meters, in one commit', async () => {
    const stores = await openStores(ALL_METERS, BOTH);
    const data = { v: '3', u: 'ann', m: 'm1' };
    const [one, other] = inBoth({ data });
    const before = stores.database.counts().commits;
    const committed = await commit(stores, [one!, other!, ...inBoth({ data })]);
    expect(stores.database.counts().commits - before).to.equal(1);
    expect(outcomesOf(committed)).to.deep.equal(['accepted', 'duplicate', 'accepted', 'duplicate']);
    expectUsage(stores, { namespace: 'default', live: [one!] });
    expectUsage(stores, { namespace: 'sandbox', live: [other!] });
    expect((await exactEvents(stores)).map((row) => row['namespace'])).to.have.members(BOTH);
  });

  it('is matched with each catalogue at its own version, and a namespace without one is unmatched', async () => {
    const stores = await openStores(SUM_METER, ['default']);
    await putMeter(stores.database, {
      namespace: 'sandbox',
      key: 'calls',
      definition: { name: 'Calls', eventType: 'use', aggregation: 'count' },
    });
    await putMeter(stores.database, {
      namespace: 'sandbox',
      key: 'most',
      definition: { name: 'Most', eventType: 'use', aggregation: 'max', value: 'v' },
    });
    const committed = await commit(
      stores,
      ['default', 'sandbox', 'empty'].map((namespace) => delivery({ namespace })),
    );
    const labels = committed.classified.map(({ copy }) => copy.effects.map(({ meter }) => meter.label));
    expect(labels).to.deep.equal([['tokens@1'], ['calls@1', 'most@1'], []]);
    const versions = stores.database
      .rows(event)
      .map(({ namespace, catalogueVersion }) => [namespace, catalogueVersion]);
    expect(versions).to.have.deep.members([
      ['default', 1],
      ['sandbox', 2],
      ['empty', 0],
    ]);
  });

  it('refuses an event in the namespace whose meter cannot count it, and in no other', async () => {
    const stores = await openStores(SUM_METER, ['default']);
    const committed = await commit(stores, inBoth({ data: { w: '1' } }));
    expect(committed.refused.map(({ delivery: { namespace } }) => namespace)).to.deep.equal(['default']);
    expect(outcomesOf(committed)).to.deep.equal(['accepted']);
  });

  it('is matched again when any of its catalogues has moved, and only that one is loaded again', async () => {
    const stores = await openStores(SUM_METER, BOTH);
    const loads: string[] = [];
    const writer = stores.writer();
    const catalogues = {
      ...writer.catalogues,
      forget: (namespace: string) => {
        loads.push(namespace);
        writer.catalogues.forget(namespace);
      },
    };
    for (const namespace of BOTH) await catalogues.get(namespace);
    await putMeter(stores.database, {
      namespace: 'sandbox',
      key: 'calls',
      definition: { name: 'Calls', eventType: 'use', aggregation: 'count' },
    });
    await commitDeliveries({ ...writer, catalogues }, inBoth());
    expect(loads).to.deep.equal(['sandbox']);
    for (const [i, namespace] of BOTH.entries()) expectUsage(stores, { namespace, live: [inBoth()[i]!] });
  });

  it('writes nothing of any namespace while one catalogue will not stand still', async () => {
    const stores = await openStores(SUM_METER, BOTH);
    let changes = 0;
    const get = async (namespace: string) => {
      const loaded = await loadCatalogue(stores.database, namespace);
      const filter = `data.v != 'x${++changes}'`;
      const definition = { name: 'Calls', eventType: 'use', aggregation: 'count', filter } as const;
      if (namespace === 'sandbox') await putMeter(stores.database, { namespace, key: 'calls', definition });
      return loaded;
    };
    const context = { ...stores.writer(), catalogues: { get, forget: () => undefined } };
    const error = await errorOf(() => commitDeliveries(context, inBoth()));
    expect(error).to.have.property('name', 'CatalogueMoving');
    expect((error as Error).message)
      .to.contain('sandbox')
      .and.not.contain('default');
    expect(stores.database.rows(event)).to.deep.equal([]);
  });

  it('writes the day rows of the namespace whose day is closed, and none of the other', async () => {
    const stores = await openStores(SUM_METER, BOTH);
    const time = '2026-03-09T10:00:00Z';
    await commit(stores, inBoth({ id: 'first', time }));
    await rollDays(stores.database, 'sandbox', NOON);
    await commit(stores, inBoth({ time }));
    expect(new Set(stores.database.rows(usageDay).map(({ namespace }) => namespace))).to.deep.equal(
      new Set(['sandbox']),
    );
    const live = ['first', 'e-1'].map((id) => delivery({ id, time, namespace: 'sandbox' }));
    expectUsage(stores, { namespace: 'sandbox', live, rolledThrough: TODAY - 1 });
  });

  it('is corrected in one namespace without a trace in the other', async () => {
    const stores = await openStores(SUM_METER, BOTH);
    const [kept, gone] = inBoth();
    await commit(stores, [kept!, gone!]);
    await voidEvent(stores.writer(), { namespace: 'sandbox', source: SOURCE, id: 'e-1' });
    expectUsage(stores, { namespace: 'default', live: [kept!] });
    expectUsage(stores, { namespace: 'sandbox', live: [], voided: [gone!] });
  });
});

describe('rolling the days of all namespaces', () => {
  const watch = (stores: Stores, feed: string, namespace: string | null, latenessMicros = 0) =>
    storeWatermark(
      { database: stores.database, topic: stores.topic.open(feed) },
      { feed, worker: 'one', namespace, latenessMicros },
    );
  const rolledThrough = ({ database }: Stores) =>
    new Map(database.rows(catalogue).map((row) => [row.namespace, row.rolledThrough]));

  it('rolls each as far as its own feeds are complete, and waits for one that has no watermark', async () => {
    const stores = await openStores(SUM_METER, [...BOTH, 'unheard']);
    for (const time of ['2026-03-08T10:00:00Z', '2026-03-09T10:00:00Z'])
      await commit(
        stores,
        [...BOTH, 'unheard'].map((namespace) => delivery({ id: time, time, namespace })),
      );
    await watch(stores, 'slow', 'sandbox', 86_400_000_000);
    await watch(stores, 'own', 'default');
    const roller = createRoller(stores.database);
    expect(await roller.roll()).to.equal(3);
    expect(Object.fromEntries(rolledThrough(stores))).to.deep.equal({
      default: TODAY - 1,
      sandbox: TODAY - 2,
      unheard: -1,
    });
  });

  it('rolls days that become complete later, and does nothing in between', async () => {
    const stores = await openStores(SUM_METER, BOTH);
    await commit(stores, inBoth({ time: '2026-03-09T10:00:00Z' }));
    await watch(stores, 'shared', null);
    const roller = createRoller(stores.database);
    while ((await roller.roll()) > 0);
    const { commits } = stores.database.counts();
    expect(await roller.roll()).to.equal(0);
    expect(stores.database.counts().commits, 'transactions of an idle roller').to.equal(commits);
    await commit(stores, inBoth({ id: 'late', time: '2026-03-09T11:00:00Z' }));
    stores.clock.now = NOON + 86_400_000_000;
    await commit(stores, inBoth({ id: 'today', time: '2026-03-10T10:00:00Z' }));
    await watch(stores, 'shared', null);
    expect(await roller.roll()).to.equal(2);
    expect(rolledThrough(stores).get('sandbox')).to.equal(TODAY);
  });

  it('rolls the others although one cannot be rolled, and says so', async () => {
    const stores = await openStores(SUM_METER, BOTH);
    await commit(stores, inBoth({ time: '2026-03-09T10:00:00Z' }));
    await watch(stores, 'shared', null);
    await stores.database.transact(async (tx) => tx.delete(meterVersion, ['default', 'tokens', 1]));
    const error = await errorOf(() => createRoller(stores.database).roll());
    expect(error).to.be.instanceOf(AggregateError);
    expect(rolledThrough(stores).get('sandbox')).to.equal(TODAY - 1);
  });
});
