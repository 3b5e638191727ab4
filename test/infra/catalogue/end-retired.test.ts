import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { activateMeter, revertMeter } from '#infra/catalogue/activate-meter.ts';
import { endRetiredVersions } from '#infra/catalogue/end-retired.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { retiredVersion } from '#infra/catalogue/tables.ts';
import { NAMESPACE, NOON, openStores, type Stores } from '#test/infra/usage/usage-fixture.ts';

const METER = { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'v' } as const;
const WEEK = 7 * MICROS_PER_DAY;

async function switched(): Promise<Stores> {
  const stores = await openStores({ tokens: METER });
  await putMeter(stores.database, {
    namespace: NAMESPACE,
    key: 'tokens',
    definition: { ...METER, aggregation: 'max' },
  });
  await stores.database.transact((tx) =>
    activateMeter(tx, { namespace: NAMESPACE, key: 'tokens', version: 2, now: stores.clock.now }),
  );
  return stores;
}

const states = async ({ database }: Stores): Promise<string[]> =>
  (await readMeterVersions(database, NAMESPACE, 'tokens')).map(({ state }) => state);

describe('a version that was switched away from', () => {
  it('is counted for seven days, and ends then', async () => {
    const stores = await switched();
    expect(await endRetiredVersions(stores.database, NOON + WEEK - MICROS_PER_DAY)).to.equal(0);
    expect(await states(stores)).to.deep.equal(['retired', 'active']);
    expect(await endRetiredVersions(stores.database, NOON + WEEK + MICROS_PER_DAY)).to.equal(1);
    expect(await states(stores)).to.deep.equal(['ended', 'active']);
    const [ended] = await readMeterVersions(stores.database, NAMESPACE, 'tokens');
    expect(ended?.until, 'it is not written any more').to.be.a('number');
    expect(await endRetiredVersions(stores.database, NOON + 10 * WEEK), 'only once').to.equal(0);
  });

  it('that was switched back to does not end, and the other one has its own seven days', async () => {
    const stores = await switched();
    stores.clock.now = NOON + 6 * MICROS_PER_DAY;
    await stores.database.transact((tx) =>
      revertMeter(tx, { namespace: NAMESPACE, key: 'tokens', now: stores.clock.now }),
    );
    expect(await endRetiredVersions(stores.database, NOON + 8 * MICROS_PER_DAY)).to.equal(0);
    expect(await states(stores)).to.deep.equal(['active', 'retired']);
  });

  it('by an earlier release, which did not note when, is kept seven days from now on', async () => {
    const stores = await switched();
    await stores.database.transact(async (tx) => tx.delete(retiredVersion, [NAMESPACE, 'tokens', 1]));
    stores.clock.now = NOON + 30 * MICROS_PER_DAY;
    expect(await endRetiredVersions(stores.database, stores.clock.now)).to.equal(0);
    expect(await endRetiredVersions(stores.database, stores.clock.now + WEEK + 1)).to.equal(1);
  });
});
