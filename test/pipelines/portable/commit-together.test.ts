import { expect } from 'chai';
import fc from 'fast-check';
import { commitTogether, LOT_MAX, LOTS_AT_ONCE } from '#pipelines/portable/commit-together.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A store that ends each commit when the test says so. */
function openStore() {
  const lots: { readonly items: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  const running = { now: 0, most: 0 };
  const commit = commitTogether<string>(async (items) => {
    running.most = Math.max(running.most, ++running.now);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    lots.push({ items, end: (error) => (error === undefined ? resolve() : reject(error)) });
    try {
      await promise;
    } finally {
      running.now--;
    }
  });
  return { lots, running, commit };
}

const outcomeOf = (commit: Promise<void>): Promise<string> =>
  commit.then(
    () => 'committed',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

describe('bundles that commit together', () => {
  it('begin at once while few are under way; what comes meanwhile is one lot, in the order in which it came', async () => {
    const { lots, commit } = openStore();
    const bundles = ['a', 'b', 'c', 'd', 'e'].map((item) => outcomeOf(commit([item])));
    await settled();
    expect(lots.map(({ items }) => items)).to.deep.equal([['a'], ['b']]);
    lots[1]?.end();
    await settled();
    expect(lots.map(({ items }) => items)).to.deep.equal([['a'], ['b'], ['c', 'd', 'e']]);
    lots[0]?.end();
    lots[2]?.end();
    expect(await Promise.all(bundles)).to.deep.equal(Array.from({ length: 5 }, () => 'committed'));
  });

  it('fail with their lot and with no other', async () => {
    const { lots, commit } = openStore();
    const bundles = ['a', 'b', 'c', 'd'].map((item) => outcomeOf(commit([item])));
    await settled();
    lots[0]?.end(new Error('the store is away'));
    await settled();
    lots[1]?.end();
    lots[2]?.end(new Error('it still is'));
    expect(await Promise.all(bundles)).to.deep.equal([
      'the store is away',
      'committed',
      'it still is',
      'it still is',
    ]);
  });

  it('are done at once when they have nothing to commit', async () => {
    const { lots, commit } = openStore();
    await commit([]);
    expect(lots).to.deep.equal([]);
  });

  it('are each committed once, in bounded lots of which few are under way, and settle as they do, whatever fails', async () => {
    const bundle = fc.record({ size: fc.integer({ min: 0, max: LOT_MAX + 1 }), pauses: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(bundle, { maxLength: 20 }),
        fc.infiniteStream(fc.boolean()),
        async (plan, fails) => {
          const { lots, running, commit } = openStore();
          const failing = new Set<string>();
          const outcomes: Promise<string>[] = [];
          const ended = { lots: 0 };
          const endOne = async (): Promise<void> => {
            const lot = lots[ended.lots++];
            if (lot === undefined) return void ended.lots--;
            const hasFailed = fails.next().value as boolean;
            if (hasFailed) for (const item of lot.items) failing.add(item);
            lot.end(hasFailed ? new Error('failed') : undefined);
            await settled();
          };
          const bundles = plan.map(({ size }, i) => Array.from({ length: size }, (_, at) => `${i}/${at}`));
          for (const [i, { pauses }] of plan.entries()) {
            outcomes.push(outcomeOf(commit(bundles[i] ?? [])));
            if (pauses) await endOne();
          }
          while (ended.lots < lots.length) await endOne();
          const said = await Promise.all(outcomes);
          expect(lots.flatMap(({ items }) => items)).to.deep.equal(bundles.flat());
          expect(running.most).to.be.at.most(LOTS_AT_ONCE);
          for (const { items } of lots)
            expect(
              items.length <= LOT_MAX || new Set(items.map((item) => item.split('/')[0])).size === 1,
            ).to.equal(true);
          bundles.forEach((items, i) => {
            const [first] = items;
            expect(said[i]).to.equal(first !== undefined && failing.has(first) ? 'failed' : 'committed');
          });
        },
      ),
    );
  });
});
