import { expect } from 'chai';
import fc from 'fast-check';
import { raiseWatermark } from '#infra/usage/raise-watermark.ts';
import { watermark } from '#infra/usage/tables.ts';
import { readFeeds, readFreshness, type FeedName } from '#infra/usage/watermark.ts';
import { FEED, NAMESPACE, NOON, openStores } from './usage-fixture.ts';

const usage: FeedName = { feed: FEED, worker: 'markers', namespace: NAMESPACE, latenessMicros: 0 };
const api: FeedName = { ...usage, feed: 'api', namespace: null };
const feeds = [usage, api];

describe('the watermark of a feed that nobody can be asked for', () => {
  it('never goes back, in whatever order it is told', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), async (told) => {
        const { database } = await openStores();
        let furthest = 0;
        for (const through of told) {
          await raiseWatermark(database, feeds, { feed: FEED, through, now: NOON });
          furthest = Math.max(furthest, through);
          const [row] = database.rows(watermark).filter(({ feed }) => feed === FEED);
          expect(row?.committedThrough).to.equal(furthest);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('is that of the feed that is furthest behind, also before all have been told of', async () => {
    const { database } = await openStores();
    await raiseWatermark(database, feeds, { feed: FEED, through: NOON, now: NOON });
    expect((await readFreshness(database, NAMESPACE))?.asOf).to.equal(0);
    await raiseWatermark(database, feeds, { feed: 'api', through: NOON - 1, now: NOON });
    expect((await readFreshness(database, NAMESPACE))?.asOf).to.equal(NOON - 1);
    expect(await readFeeds(database)).to.have.length(2);
  });
});
