import { expect } from 'chai';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import type { RowPosition } from '#domain/usage/usage-query.ts';
import type { UsageRow } from '#domain/usage/usage-rows.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { meterVersion } from '#infra/catalogue/tables.ts';
import { readUsage, streamUsage, UnknownMeter } from '#infra/usage/read-usage.ts';
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
    await stores.database.transact((tx) =>
      activateMeter(tx, { namespace: NAMESPACE, key: 'tokens', version: 2, now: 0 }),
    );
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

  it('is of one moment: watermark, catalogue, meter and cells agree, whatever is committed meanwhile', async () => {
    const stores = await openStores(SUM_METER);
    const time = '2026-03-09T10:00:00Z';
    await commit(stores, [delivery({ time, data: { v: '5' } })]);
    let meddled = false;
    const snapshot = async () => {
      const taken = await stores.database.snapshot();
      const read: typeof taken.read = async (table, keys) => {
        const rows = await taken.read(table, keys);
        // As soon as the catalogue has been looked at, the day is rolled, another event comes, and another version is activated.
        if (!meddled) {
          meddled = true;
          await rollDays(stores.database, NAMESPACE, NOON);
          await commit(stores, [delivery({ id: 'e-2', time, data: { v: '7' } })]);
          await stores.database.transact(async (tx) => tx.delete(meterVersion, [NAMESPACE, 'tokens', 1]));
        }
        return rows;
      };
      return { ...taken, read };
    };
    const answer = await ask(
      { ...stores, database: { ...stores.database, snapshot } },
      { meter: 'tokens', ...day },
    );
    expect([meddled, valuesOf(answer)]).to.deep.equal([true, ['5']]);
  });

  it('counts a subject only in the spans that are asked for, beside others without', async () => {
    const stores = await openStores(SUM_METER);
    await commit(
      stores,
      ['acme', 'globex'].flatMap((subject) =>
        [8, 9, 10, 11].map((hour, i) =>
          delivery({
            id: `${subject}-${hour}`,
            subject,
            time: `2026-03-09T${`${hour}`.padStart(2, '0')}:30:00Z`,
            data: { v: `${10 ** i}` },
          }),
        ),
      ),
    );
    const spans = [
      { from: instant('2026-03-09T08:00:00Z'), to: instant('2026-03-09T09:00:00Z') },
      { from: instant('2026-03-09T10:00:00Z'), to: instant('2026-03-09T10:31:00Z') },
    ];
    const subjects = [{ subject: 'acme', spans }, 'globex'];
    expect(valuesOf(await ask(stores, { meter: 'tokens', ...day, subjects }))).to.deep.equal(['1212']);
  });

  it('knows no meter that was never saved', async () => {
    const stores = await openStores();
    expect(await errorOf(() => ask(stores, { meter: 'tokens', ...day }))).to.be.instanceOf(UnknownMeter);
  });
});

describe('usage in pages and as a stream', () => {
  const HOURS = 60;
  const range = { from: '2026-03-07T00:00:00Z', to: '2026-03-10T00:00:00Z' };
  const timeOf = (hour: number): string =>
    new Date(Date.parse(range.from) + hour * 3_600_000 + 1_000).toISOString();

  async function openBusy(): Promise<Stores> {
    const stores = await openStores(ALL_METERS);
    const deliveries = Array.from({ length: HOURS }, (_, i) =>
      delivery({
        id: `e-${i}`,
        subject: i % 3 === 0 ? 'globex' : 'acme',
        time: timeOf(i),
        data: { v: String(i), u: `user ${i % 7}`, m: `m${i % 4}` },
      }),
    );
    await commit(stores, deliveries);
    await rollDays(stores.database, NAMESPACE, instant('2026-03-08T00:00:00Z'));
    return stores;
  }

  async function pages(stores: Stores, question: Question & { limit: number }): Promise<UsageRow[]> {
    const rows: UsageRow[] = [];
    for (let after: RowPosition | undefined; ;) {
      const page = await ask(stores, { ...question, ...(after ? { after } : {}) });
      expect(page.rows.length).to.be.at.most(question.limit);
      rows.push(...page.rows);
      after = page.next;
      if (after === undefined) return rows;
    }
  }

  async function streamed(stores: Stores, { from, to, ...rest }: Question): Promise<UsageRow[]> {
    const question = {
      namespace: NAMESPACE,
      subjects: ['acme'],
      window: 'none',
      timezone: 'UTC',
      ...rest,
    } as const;
    return streamUsage(stores.database, { ...question, from: instant(from), to: instant(to) }, ({ rows }) =>
      Array.fromAsync(rows),
    );
  }

  for (const meter of Object.keys(ALL_METERS)) {
    it(`are the same rows, once each and in the same order, for ${meter}`, async () => {
      const stores = await openBusy();
      const grouped =
        meter === 'sum-by-model' ? [[], ['subject'], ['model'], ['subject', 'model']] : [[], ['subject']];
      for (const groupBy of grouped)
        for (const window of ['minute', 'hour', 'day', 'none'] as const) {
          const question = { meter, ...range, window, groupBy, subjects: ['acme', 'globex'] };
          const whole = await ask(stores, question);
          expect(whole.next).to.equal(undefined);
          expect(await pages(stores, { ...question, limit: window === 'minute' ? 997 : 7 })).to.deep.equal(
            whole.rows,
          );
          expect(await streamed(stores, question)).to.deep.equal(whole.rows);
        }
    });
  }

  it('do not hold a long range at once, and hold no more rows than a page has', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [delivery({ time: '2026-03-09T10:00:00Z', data: { v: '5' } })]);
    const year = {
      meter: 'tokens',
      from: '2025-06-01T00:00:00Z',
      to: '2026-06-01T00:00:00Z',
      window: 'minute',
    } as const;
    const first = await ask(stores, year);
    expect(first.rows).to.have.length(10_000);
    expect(first.next?.from).to.equal(first.rows.at(-1)?.from);
    let rows = 0;
    let total = 0;
    const asked = {
      ...year,
      namespace: NAMESPACE,
      subjects: ['acme'],
      timezone: 'UTC',
      from: instant(year.from),
      to: instant(year.to),
    };
    await streamUsage(stores.database, asked, async (stream) => {
      for await (const { value } of stream.rows) {
        rows++;
        total += Number(value);
      }
    });
    expect([rows, total]).to.deep.equal([365 * 24 * 60, 5]);
  });

  it('stop with an error after a million rows', async () => {
    const stores = await openStores(SUM_METER);
    const from = instant('2024-01-01T00:00:00Z');
    const asked = {
      namespace: NAMESPACE,
      meter: 'tokens',
      subjects: ['acme'],
      timezone: 'UTC',
      window: 'minute',
      from,
      to: NOON,
    } as const;
    let rows = 0;
    const error = await errorOf(() =>
      streamUsage(stores.database, asked, async (stream) => {
        for await (const _ of stream.rows) rows++;
      }),
    );
    expect(error).to.include({ code: 'too_many_rows' });
    expect(rows).to.equal(1_000_000);
  });

  it('leave nothing open when the reader leaves in the middle', async () => {
    const stores = await openBusy();
    let open = 0;
    const snapshot = async () => {
      const taken = await stores.database.snapshot();
      open++;
      return { ...taken, close: async () => void (open--, await taken.close()) };
    };
    const database = { ...stores.database, snapshot };
    const asked = {
      namespace: NAMESPACE,
      meter: 'count',
      subjects: ['acme'],
      timezone: 'UTC',
      window: 'hour',
    } as const;
    const left = new Error('the client has gone');
    const error = await errorOf(() =>
      streamUsage(
        database,
        { ...asked, from: instant(range.from), to: instant(range.to) },
        async ({ rows }) => {
          for await (const _ of rows) throw left;
        },
      ),
    );
    expect([error, open]).to.deep.equal([left, 0]);
  });

  it('of nobody is none, in every window', async () => {
    const stores = await openStores(SUM_METER);
    for (const window of ['day', 'none'] as const)
      expect(valuesOf(await ask(stores, { meter: 'tokens', ...day, window, subjects: [] }))).to.deep.equal([
        '0',
      ]);
  });

  it('are of a bounded number of subjects', async () => {
    const stores = await openStores(SUM_METER);
    const subjects = Array.from({ length: 5_001 }, (_, i) => `subject ${i}`);
    const error = await errorOf(() => ask(stores, { meter: 'tokens', ...day, subjects }));
    expect(error).to.include({ code: 'subjects_invalid' });
  });
});
