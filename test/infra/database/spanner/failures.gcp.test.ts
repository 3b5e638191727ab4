import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '#infra/database/database.ts';
import { migrateSpanner } from '#infra/database/spanner/migrate.ts';
import { openSpanner } from '#infra/database/spanner/open.ts';
import type { SpannerDatabase, SpannerOptions } from '#infra/database/spanner/open.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import {
  collect,
  expectRejection,
  factRow,
  identity,
  plainRow,
  upsertAll,
} from '#test/contract/database/support.ts';
import { contractTables, fact, plain } from '#test/contract/database/tables.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { openLossyProxy, type LossyProxy } from '#test/support/lossy-proxy.ts';
import { spannerAddress } from '#test/support/spanner-database.ts';

const COUNTER = ['default', 'counter'];

const increment = (database: Database, beforeCommit: () => Promise<void> = async () => undefined) =>
  database.transact(async (tx) => {
    const [row] = await tx.read(plain, [COUNTER]);
    tx.upsert(plain, plainRow('counter', { rank: (row?.rank ?? 0) + 1 }));
    await beforeCommit();
  });

const rankOf = async (database: Database): Promise<number | null | undefined> =>
  (await database.read(plain, [COUNTER]))[0]?.rank;

describe('a database on the Spanner emulator when things go wrong', () => {
  const emulators = useEmulators(['spanner']);
  let options: SpannerOptions;
  const opened: { close(): Promise<void> }[] = [];
  const keep = <Opened extends { close(): Promise<void> }>(each: Opened): Opened => {
    opened.push(each);
    return each;
  };
  const open = async (more: Partial<SpannerOptions> = {}): Promise<SpannerDatabase> =>
    keep(await openSpanner({ ...options, ...more }));
  const throughProxy = async (more: Partial<SpannerOptions> = {}): Promise<[SpannerDatabase, LossyProxy]> => {
    const proxy = keep(await openLossyProxy(emulators.spannerHost));
    return [await open({ emulatorHost: proxy.address, ...more }), proxy];
  };
  before(async () => {
    options = {
      ...spannerAddress(emulators, `${emulators.spannerDatabase}-f`),
      tables: contractTables,
      clock: systemScheduler.now,
    };
    await migrateSpanner(options);
  });
  beforeEach(async () => {
    const database = await open();
    await database.transact(async (tx) => tx.delete(plain, COUNTER));
  });
  afterEach(async () => {
    for (const each of opened.splice(0).toReversed()) await each.close();
  });

  it('that is not there is an error of whoever opens it, and ends no process', async () => {
    const error = await expectRejection(open({ database: 'nowhere' }), 'StoreFailure');
    expect(error.message).to.match(/nowhere.*not found/is);
    // Sessions are made in the background too.
    await pause(200);
  });

  it('gives each of many transactions of several processes its turn, and loses nothing of any', async () => {
    const databases = await Promise.all([open(), open(), open()]);
    await Promise.all(databases.flatMap((database) => Array.from({ length: 8 }, () => increment(database))));
    expect(await rankOf(databases[0])).to.equal(24);
  });

  it('finds out what became of a commit whose answer got lost, by asking for the same commit again', async () => {
    const [database, proxy] = await throughProxy();
    const done = increment(database, async () => {
      proxy.swallowAnswers();
      setTimeout(() => proxy.breakConnections(), 300);
    });
    await done;
    expect(await rankOf(database)).to.equal(1);
  });

  it('says that the outcome is unknown when no answer can be had; the same work then finds what it wrote', async () => {
    const [database, proxy] = await throughProxy({ commitTimeoutMs: 1_500 });
    const insert = () =>
      database.transact(async (tx) => {
        const [there] = await tx.read(fact, [[identity('lost')]]);
        if (there !== undefined) return 'found';
        tx.insert(fact, factRow('lost'));
        proxy.swallowAnswers();
        proxy.shut();
        setTimeout(() => proxy.breakConnections(), 300);
        return 'inserted';
      });
    const error = await expectRejection(insert(), 'UnknownOutcome');
    expect(error.message).to.include('the answer of the commit was lost');
    proxy.open();
    expect((await insert()).result).to.equal('found');
  });

  it('goes on by itself after an outage, with reads, scans and transactions', async () => {
    const [database, proxy] = await throughProxy();
    await upsertAll(database, plain, [plainRow('a')]);
    proxy.shut();
    proxy.breakConnections();
    setTimeout(() => proxy.open(), 1_000);
    const [rows, scanned] = await Promise.all([
      database.read(plain, [['default', 'a']]),
      collect(database.scan(plain, { prefix: ['default'] })),
      increment(database),
    ]);
    expect(rows).to.deep.equal([plainRow('a')]);
    expect(scanned.length).to.be.at.least(1);
    expect(await rankOf(database)).to.equal(1);
  });

  it('answers nothing once it is closed, and may be closed twice and while a snapshot waits', async () => {
    const database = await open();
    await database.close();
    await database.close();
    await expectRejection(database.read(plain, [COUNTER]), 'StoreFailure');
    await expectRejection(collect(database.scan(plain, { prefix: [] })), 'StoreFailure');
    await expectRejection(database.snapshot(), 'StoreFailure');
    await expectRejection(increment(database), 'StoreFailure');
  });

  it('takes priorities, tags and delays of commits, and refuses those that Spanner would', async () => {
    const database = await open({ tag: 'test', priority: 'medium' });
    const low = database.withOptions({ priority: 'low', tag: 'roller', commitDelayMs: 20 });
    await increment(low);
    expect(await rankOf(low)).to.equal(1);
    for (const wrong of [
      { tag: 'x'.repeat(51) },
      { tag: '' },
      { commitDelayMs: 501 },
      { commitDelayMs: 0.5 },
    ])
      expect(() => database.withOptions(wrong)).to.throw();
  });

  it('reads the state of an earlier commit, and the newest for a time that has not come', async () => {
    const database = await open();
    const first = (await increment(database)).committedAt;
    await increment(database);
    const at = async (time: number) => (await database.read(plain, [COUNTER], { at: time }))[0]?.rank;
    expect([
      await at(first),
      await at(first + 1),
      await at(systemScheduler.now() + 60_000_000),
    ]).to.deep.equal([1, 1, 2]);
    const scanned = await collect(database.scan(plain, { prefix: ['default'] }, { at: first }));
    expect(scanned.find(({ name }) => name === 'counter')?.rank).to.equal(1);
  });

  it('refuses work that is more than a commit may hold, and leaves nothing of it', async () => {
    const database = await open();
    const rows = Array.from({ length: 12_001 }, (_, i) => factRow(`many ${i}`, { committedAt: 1 }));
    await expectRejection(
      database.transact(async (tx) => rows.forEach((row) => tx.insert(fact, row))),
      'StoreFailure',
    );
    expect(await database.read(fact, [[identity('many 0')]])).to.deep.equal([undefined]);
  });
});
