import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { MIGRATED_PER_CALL_MAX } from '#domain/limits.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { withoutWrites } from '#infra/database/without-writes.ts';
import { migrateSubscriptions } from '#infra/subscriptions/migrate-subscriptions.ts';
import { subscription as subscriptionTable, versionSubscription } from '#infra/subscriptions/tables.ts';
import { onBothDrivers } from '#test/support/both-drivers.ts';
import {
  TABLES,
  namespace,
  NOW,
  LATER,
  run,
  furnish,
  save,
  idOf,
  create,
  change,
  migrate,
  stored,
  idle,
  checkVersionRows,
} from './subscription-fixture.ts';

describe('subscriptions that are migrated', () => {
  onBothDrivers(TABLES, (test) => {
    test('go to the other version, those that cannot are named, and their fees are told', async (database) => {
      await furnish(database);
      await save(database, 'other', { currency: 'USD' });
      await create(database, { plan: 'pro', version: 1, quantities: { seats: '10' } });
      await create(database, { plan: 'pro', version: 1 }, { number: 2, customer: 'other' });
      await create(
        database,
        { plan: 'pro', version: 1, overrides: { storage: { discount: { percent: '5' } } } },
        { number: 3 },
      );
      await create(database, { plan: 'pro', version: 1 }, { number: 4 });
      await change(database, { kind: 'cancel', at: 'now' }, LATER - MICROS_PER_DAY, 4);
      const expected = {
        moved: 2,
        passedOver: 0,
        faults: [{ subscription: idOf(3), customer: 'acme', codes: ['unknown_charge'] }],
        // Ramp: 10 + 3 a seat, 10 and 5 of them; then a twelfth of 240, and 4 a seat.
        revenue: [{ currency: 'USD', before: '65', after: '100', change: '35' }],
        next: null,
      };
      const shown = ({ faults, ...rest }: Awaited<ReturnType<typeof migrate>>) => ({
        ...rest,
        faults: faults.map(({ violations, ...each }) => ({
          ...each,
          codes: violations.map(({ code }) => code),
        })),
      });
      const preview = await run(database, (tx) =>
        migrateSubscriptions(withoutWrites(tx), {
          namespace,
          plan: 'pro',
          version: 2,
          from: 1,
          at: 'now',
          now: LATER,
        }),
      );
      expect(shown(preview)).to.deep.equal(expected);
      expect((await stored(database)).terms).to.have.length(1);
      expect(shown(await migrate(database))).to.deep.equal(expected);
      expect((await stored(database)).terms[1]).to.deep.include({
        version: 2,
        from: LATER,
        phasesFrom: NOW,
      });
      expect((await migrate(database)).moved).to.equal(0);
      await checkVersionRows(database);
    });

    test('only of the customers that are named, at the end of their periods, and never twice', async (database) => {
      await furnish(database);
      await save(database, 'other', { currency: 'USD' });
      await create(database, { plan: 'pro', version: 1 });
      await create(database, { plan: 'pro', version: 1 }, { number: 2, customer: 'other' });
      const said = { at: 'periodEnd', customers: ['other'] } as const;
      expect((await migrate(database, said)).moved).to.equal(1);
      expect((await migrate(database, said)).passedOver).to.equal(1);
      expect((await stored(database)).terms).to.have.length(1);
      expect((await stored(database, 2)).terms).to.have.length(2);
    });
  });

  it('by the batch, each call going on where the one before ended', async () => {
    const database = openHostile({ tables: TABLES, schedule: idle(), faults: noFaults });
    await furnish(database);
    const count = MIGRATED_PER_CALL_MAX + 2;
    await create(database, { plan: 'pro', version: 1 });
    const one = await stored(database);
    await run(database, (tx) => {
      for (let number = 2; number <= count; number++) {
        tx.insert(subscriptionTable, { namespace, ...one, id: idOf(number) });
        tx.insert(versionSubscription, { namespace, plan: 'pro', version: 1, subscription: idOf(number) });
      }
      return Promise.resolve();
    });
    const first = await migrate(database);
    expect([first.moved, first.next]).to.deep.equal([MIGRATED_PER_CALL_MAX, idOf(MIGRATED_PER_CALL_MAX)]);
    const second = await migrate(database, { after: idOf(MIGRATED_PER_CALL_MAX) });
    expect([second.moved, second.next]).to.deep.equal([2, null]);
    await checkVersionRows(database);
  });
});
