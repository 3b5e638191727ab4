import { expect } from 'chai';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { readUsage, UnknownMeter } from '#infra/usage/read-usage.ts';
import type { ReadUsage, UsageAnswer } from '#infra/usage/read-usage.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import { storeWatermark } from '#infra/usage/watermark.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  errorOf,
  FEED,
  instant,
  nameOf,
  NAMESPACE,
  NOON,
  openStores,
  SUM_METER,
} from './usage-fixture.ts';
import type { Stores } from './usage-fixture.ts';

const HOUR = 3_600_000_000;

type Question = Partial<Omit<ReadUsage, 'from' | 'to'>> & {
  readonly meter: string;
  readonly from: string;
  readonly to: string;
};

const ask = ({ database }: Stores, { from, to, ...rest }: Question): Promise<UsageAnswer> =>
  readUsage(database, {
    namespace: NAMESPACE,
    subjects: ['acme'],
    window: 'none',
    timezone: 'UTC',
    ...rest,
    from: instant(from),
    to: instant(to),
  });

const valuesOf = ({ rows }: UsageAnswer): (string | null)[] => rows.map(({ value }) => value);
const day = { from: '2026-03-09T00:00:00Z', to: '2026-03-10T00:00:00Z' } as const;

describe('reading usage from the cells', () => {
  it('answers every window of a range, in the time zone asked for, the first and last cut to the range', async () => {
    const stores = await openStores(SUM_METER);
    const times = [
      '2026-03-08T22:59:59Z',
      '2026-03-08T23:00:00Z',
      '2026-03-09T22:59:59Z',
      '2026-03-09T23:30:00Z',
    ];
    await commit(
      stores,
      times.map((time, i) => delivery({ id: `e-${i}`, time, data: { v: `${10 ** i}.5` } })),
    );
    const answer = await ask(stores, {
      meter: 'tokens',
      from: '2026-03-08T12:00:00Z',
      to: '2026-03-09T23:30:00Z',
      window: 'day',
      timezone: 'Europe/Berlin',
    });
    expect(valuesOf(answer)).to.deep.equal(['1.5', '111', '0']);
  });

  it('reads rolled days and hour cells as one', async () => {
    const stores = await openStores(ALL_METERS);
    const times = ['2026-03-08T10:00:00Z', '2026-03-09T10:00:00Z', '2026-03-10T10:00:00Z'];
    await commit(
      stores,
      times.map((time, i) =>
        delivery({ id: `e-${i}`, time, data: { v: `${i + 1}`, u: `user ${i % 2}`, m: 'm1' } }),
      ),
    );
    const range = { from: '2026-03-08T00:00:00Z', to: '2026-03-10T12:00:00Z' };
    const all = async () => {
      const answers: Record<string, string | null> = {};
      for (const meter of Object.keys(ALL_METERS))
        answers[meter] = valuesOf(await ask(stores, { meter, ...range }))[0] ?? null;
      return answers;
    };
    const before = await all();
    // The level is 1 for 24 hours, 3 for 24 and 6 for 2, over a range of 60 hours.
    const expected = {
      count: '3',
      'sum-by-model': '6',
      min: '1',
      max: '3',
      average: '2',
      unique: '2',
      latest: '3',
      level: '1.8',
    };
    expect(before).to.deep.equal(expected);
    await rollDays(stores.database, NAMESPACE, NOON);
    expect(await all()).to.deep.equal(before);
  });

  it('groups by a dimension and filters by it; an event without one is in the group ""', async () => {
    const stores = await openStores(ALL_METERS);
    const data = [
      { v: '1', u: 'a', m: 'm1' },
      { v: '2', u: 'a', m: 'm2' },
      { v: '4', u: 'a' },
      { v: '8', u: 'a', m: 'm1' },
    ];
    await commit(
      stores,
      data.map((each, i) => delivery({ id: `e-${i}`, time: '2026-03-09T10:00:00Z', data: each })),
    );
    const { rows } = await ask(stores, { meter: 'sum-by-model', ...day, groupBy: ['model'] });
    expect(rows.map(({ group, value }) => [group?.['model'], value])).to.deep.equal([
      ['', '4'],
      ['m1', '9'],
      ['m2', '2'],
    ]);
    expect(
      valuesOf(await ask(stores, { meter: 'sum-by-model', ...day, filter: { model: ['m1'] } })),
    ).to.deep.equal(['9']);
  });

  it('adds up subjects, or tells them apart', async () => {
    const stores = await openStores(SUM_METER);
    const subjects = ['acme', 'globex'];
    await commit(
      stores,
      subjects.map((subject, i) =>
        delivery({ id: `e-${i}`, subject, time: '2026-03-09T10:00:00Z', data: { v: `${i + 1}` } }),
      ),
    );
    expect(valuesOf(await ask(stores, { meter: 'tokens', ...day, subjects }))).to.deep.equal(['3']);
    const { rows } = await ask(stores, { meter: 'tokens', ...day, subjects, groupBy: ['subject'] });
    expect(rows.map(({ subject, value }) => [subject, value])).to.deep.equal([
      ['acme', '1'],
      ['globex', '2'],
    ]);
  });

  it('stays on the active version until another is activated', async () => {
    const stores = await openStores(SUM_METER);
    const time = '2026-03-09T10:00:00Z';
    await commit(stores, [delivery({ time, data: { v: '5' } })]);
    await putMeter(stores.database, {
      namespace: NAMESPACE,
      key: 'tokens',
      definition: { ...SUM_METER['tokens']!, aggregation: 'count', value: undefined },
    });
    await commit(stores, [delivery({ id: 'e-2', time, data: { v: '6' } })]);
    expect(valuesOf(await ask(stores, { meter: 'tokens', ...day }))).to.deep.equal(['11']);
    await activateMeter(stores.database, { namespace: NAMESPACE, key: 'tokens', version: 2 });
    expect(valuesOf(await ask(stores, { meter: 'tokens', ...day }))).to.deep.equal(['1']);
  });

  it('says that a cell waits to be recomputed', async () => {
    const stores = await openStores({ max: ALL_METERS['max']! });
    const time = '2026-03-09T10:00:00Z';
    await commit(
      stores,
      ['2', '7'].map((v, i) => delivery({ id: `e-${i}`, time, data: { v } })),
    );
    expect((await ask(stores, { meter: 'max', ...day })).dirty).to.equal(false);
    await voidEvent(stores.writer(), nameOf('e-1'));
    expect((await ask(stores, { meter: 'max', ...day })).dirty).to.equal(true);
  });

  it('tells how current the answer is, once a feed has reported', async () => {
    const stores = await openStores(SUM_METER);
    expect((await ask(stores, { meter: 'tokens', ...day })).freshness).to.equal(undefined);
    const feed = { feed: FEED, worker: 'one', namespace: NAMESPACE, latenessMicros: HOUR };
    await storeWatermark({ database: stores.database, topic: stores.topic.open('pipeline') }, feed);
    const { freshness } = await ask(stores, { meter: 'tokens', ...day });
    expect(freshness).to.deep.equal({ asOf: NOON, completeThrough: NOON - HOUR });
  });

  it('knows no meter that was never saved', async () => {
    const stores = await openStores();
    expect(await errorOf(() => ask(stores, { meter: 'tokens', ...day }))).to.be.instanceOf(UnknownMeter);
  });
});
