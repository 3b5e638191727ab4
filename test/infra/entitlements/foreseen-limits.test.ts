import { expect } from 'chai';
import { countWork } from '#bench/counting-database.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { moveSubject } from '#infra/customers/move-subject.ts';
import type { Database } from '#infra/database/database.ts';
import { createLimitMemory, type LimitMemory } from '#infra/entitlements/foreseen-limits.ts';
import { deleteLimits } from '#infra/entitlements/put-limits.ts';
import { commitDeliveries, type Committed } from '#infra/usage/commit.ts';
import { delivery, FEED, instant, NAMESPACE, NOON, type Said } from '#test/infra/usage/usage-fixture.ts';
import { onBothDrivers } from '#test/support/both-drivers.ts';
import { check, granted, limit, monthly, prepare, run, TABLES } from './quota-fixture.ts';

const OF = { namespace: NAMESPACE, customer: 'acme', feature: 'tokens', now: NOON };

/** Commits as a writer with this memory does. */
const useBy = (database: Database, limitMemory: LimitMemory, ...said: Said[]): Promise<Committed> =>
  commitDeliveries(
    {
      ...{ database, limitMemory, catalogues: createCatalogues(database) },
      ...{ feed: FEED, slot: 0, clock: () => NOON },
    },
    said.map((each) => delivery({ subject: 'acme-1', data: { v: '1' }, ...each })),
  );

describe('limits that a writer remembers', () => {
  onBothDrivers(TABLES, (it) => {
    it('are read along with the first trip of the next commit, holds included', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      const reservation = await granted(database, { id: 'settled', amount: '3' });
      expect(reservation.amount).to.equal('3');
      const memory = createLimitMemory();
      const { database: counted, counts } = countWork(database);
      await useBy(counted, memory, { id: 'first' });
      expect(counts.tripsMax).to.equal(3);
      counts.tripsMax = 0;
      await useBy(counted, memory, { id: 'second' }, { id: 'settled', data: { v: '2' } });
      expect(counts.tripsMax).to.equal(2);
      expect(await check(database)).to.deep.include({ used: '4', reserved: '0', remaining: '6' });
    });

    it('are only a guess: whoever owns the subject now, and whatever is limited now, counts', async (database) => {
      await prepare(database);
      await limit(database, [monthly('10')]);
      const memory = createLimitMemory();
      await useBy(database, memory, { id: 'one' });
      await limit(database, [monthly('20')], { customer: 'bolt' });
      const from = instant('2026-03-10T11:00:00Z');
      await run(database, (tx) =>
        moveSubject(tx, { namespace: NAMESPACE, subject: 'acme-1', to: 'bolt', from, now: NOON }),
      );
      const before = (await check(database)).used;
      await useBy(database, memory, { id: 'two', time: '2026-03-10T11:30:00Z', data: { v: '5' } });
      const after = await check(database, { customer: 'bolt' });
      expect(Number(after.used)).to.be.at.least(5);
      expect((await check(database)).used).to.equal(before);
      await run(database, (tx) => deleteLimits(tx, { ...OF, customer: 'bolt' }));
      await useBy(database, memory, { id: 'three', data: { v: '7' } });
      expect(await check(database, { customer: 'bolt' })).to.deep.include({ reason: 'no_limit' });
    });
  });
});
