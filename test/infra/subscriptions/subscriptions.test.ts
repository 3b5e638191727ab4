import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { SUBSCRIPTIONS_PER_CUSTOMER_MAX } from '#domain/limits.ts';
import { sayTheSame } from '#domain/subscriptions/terms-delta.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { withoutWrites } from '#infra/database/without-writes.ts';
import { archiveVersion } from '#infra/plans/publish-version.ts';
import { putSeller } from '#infra/sellers/put-seller.ts';
import { changeSubscription } from '#infra/subscriptions/change-subscription.ts';
import { patchSubscription } from '#infra/subscriptions/patch-subscription.ts';
import { listSubscriptions, subscriptionsOfCustomer } from '#infra/subscriptions/read-subscriptions.ts';
import { subscription as subscriptionTable } from '#infra/subscriptions/tables.ts';
import { onBothDrivers } from '#test/support/both-drivers.ts';
import { simulateSeeds } from '#test/support/simulation.ts';
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
  refused,
  idle,
  persist,
  checkVersionRows,
} from './subscription-fixture.ts';

describe('subscriptions', () => {
  onBothDrivers(TABLES, (test) => {
    test('get the defaults of their customer and plan, and are found by id and customer', async (database) => {
      await furnish(database);
      const { subscription, effects } = await create(database, { plan: 'pro', version: 1 });
      expect(subscription).to.deep.include({
        customer: 'acme',
        currency: 'USD',
        timezone: 'Europe/Berlin',
        alignment: 'own',
        seller: 'default',
        startAt: NOW,
        endAt: null,
      });
      expect(subscription.terms[0]).to.deep.include({
        plan: 'pro',
        version: 1,
        anchor: 'start',
        paused: false,
      });
      expect(effects.map(({ kind }) => kind)).to.deep.equal(['starts', 'phaseBegins', 'phaseBegins']);
      expect(await stored(database)).to.deep.equal(subscription);
      await create(database, {}, { number: 2 });
      expect(await subscriptionsOfCustomer(database, namespace, 'acme')).to.have.length(2);
      const page = { after: idOf(1), limit: 5 };
      const next = await listSubscriptions(database, { namespace, customer: 'acme' }, page);
      expect(next.map(({ id }) => id)).to.deep.equal([idOf(2)]);
      expect(await subscriptionsOfCustomer(database, 'elsewhere', 'acme')).to.deep.equal([]);
    });

    test('that are aligned with their customer take over another anchor of it, and no other', async (database) => {
      await furnish(database);
      await create(database, { alignment: 'customer' });
      await save(database, 'acme', { currency: 'USD', billingAnchor: { day: 20 } });
      expect((await stored(database))?.terms[0].anchor).to.equal('calendar');
      const asked = (day: number) => change(database, { kind: 'change', at: 'now', anchor: { day } });
      expect(await refused(asked(19))).to.deep.equal(['change_not_possible', ['/anchor anchor_of_customer']]);
      const { subscription } = await asked(20);
      expect(subscription.terms.at(-1)?.anchor).to.deep.equal({ day: 20 });
    });

    test('that are aligned with their customer have its anchor and zone', async (database) => {
      await furnish(database);
      await save(database, 'acme', { currency: 'USD', timezone: 'Asia/Kolkata', billingAnchor: { day: 15 } });
      const { subscription } = await create(database, { alignment: 'customer' });
      expect(subscription.terms[0].anchor).to.deep.equal({ day: 15 });
      await save(database, 'plain', { currency: 'USD' });
      const plain = await create(database, { alignment: 'customer' }, { customer: 'plain', number: 2 });
      expect(plain.subscription.terms[0].anchor).to.equal('calendar');
      expect(
        await refused(
          create(database, { alignment: 'customer', anchor: { day: 1 }, timezone: 'UTC' }, { number: 3 }),
        ),
      ).to.deep.equal([
        'invalid_subscription',
        ['/timezone timezone_of_customer', '/anchor anchor_of_customer'],
      ]);
    });

    test('are refused with everything that is wrong at once, and then nothing is stored', async (database) => {
      await furnish(database);
      const [code, faults] = await refused(
        create(database, {
          currency: 'JPY',
          timezone: 'Nowhere/City',
          endAt: NOW,
          quantities: { nothing: '1' },
          spendThreshold: '0',
          metadata: { '': 'x' },
        }),
      );
      expect(code).to.equal('invalid_subscription');
      expect(faults).to.have.members([
        '/timezone unknown_time_zone',
        '/spendThreshold not_above_zero',
        '/metadata/ empty',
        '/endAt end_before_start',
        '/currency currency_not_offered',
        '/quantities/nothing unknown_charge',
      ]);
      const matrix = { price: { model: 'matrix' as const, dimensions: ['region'], cells: [] } };
      expect(await refused(create(database, { overrides: { tokens: matrix } }))).to.deep.equal([
        'invalid_subscription',
        ['/overrides/tokens/price/dimensions/0 unknown_dimension'],
      ]);
      expect(await refused(create(database, {}, { customer: 'nobody' }))).to.deep.equal([
        'customer_not_found',
        [],
      ]);
      expect(await refused(create(database, { plan: 'none' }))).to.deep.equal(['plan_not_found', []]);
      expect(await refused(create(database, { seller: 'none' }))).to.deep.equal([
        'seller_not_found',
        ['/seller seller_not_found'],
      ]);
      expect(await subscriptionsOfCustomer(database, namespace, 'acme')).to.deep.equal([]);
    });

    test('are the only seller’s, or that of the customer', async (database) => {
      await furnish(database);
      await run(database, (tx) =>
        putSeller(tx, { namespace, key: 'gmbh', seller: { name: 'GmbH' }, now: NOW }),
      );
      expect((await create(database)).subscription.seller).to.equal('gmbh');
      await run(database, (tx) =>
        putSeller(tx, { namespace, key: 'inc', seller: { name: 'Inc' }, now: NOW }),
      );
      expect(await refused(create(database, {}, { number: 2 }))).to.deep.equal(['seller_needed', []]);
      await save(database, 'acme', { currency: 'USD', seller: 'inc' });
      expect((await create(database, {}, { number: 2 })).subscription.seller).to.equal('inc');
    });

    test('change, are read back as they are, and a preview changes nothing', async (database) => {
      await furnish(database);
      const { subscription: before } = await create(database);
      const upgrade = { kind: 'change', at: 'now', plan: 'pro', quantities: { seats: '9' } } as const;
      const preview = await run(database, (tx) =>
        changeSubscription(withoutWrites(tx), { namespace, id: idOf(1), change: upgrade, now: LATER }),
      );
      expect(await stored(database)).to.deep.equal(before);
      const { subscription, effects } = await change(database, upgrade);
      expect(preview).to.deep.equal({ subscription, effects });
      expect(subscription.terms[1]).to.deep.include({
        plan: 'pro',
        version: 2,
        from: LATER,
        quantities: { seats: '9' },
      });
      expect(await stored(database)).to.deep.equal(subscription);
      expect((await change(database, { kind: 'cancel', at: 'periodEnd' })).subscription.endAt).to.not.equal(
        null,
      );
      await change(database, { kind: 'uncancel' });
      expect(await stored(database)).to.deep.equal(subscription);
      const elsewhere = run(database, (tx) =>
        changeSubscription(tx, {
          namespace: 'elsewhere',
          id: idOf(1),
          change: { kind: 'uncancel' },
          now: LATER,
        }),
      );
      expect(await refused(elsewhere)).to.deep.equal(['subscription_not_found', []]);
    });

    test('may stay on a version that is archived, and nobody comes to it', async (database) => {
      await furnish(database);
      await create(database, { plan: 'pro', version: 1 });
      await create(database, {}, { number: 2 });
      await run(database, (tx) => archiveVersion(tx, { namespace, plan: 'pro', version: 1, now: NOW }));
      await change(database, { kind: 'change', at: 'now', version: 1, quantities: { seats: '2' } });
      const arriving = change(database, { kind: 'change', at: 'now', plan: 'pro', version: 1 }, LATER, 2);
      expect(await refused(arriving)).to.deep.equal(['plan_version_not_active', []]);
      expect(
        await refused(change(database, { kind: 'change', at: 'now', quantities: { seats: 'x' } })),
      ).to.deep.equal(['change_not_possible', ['/quantities/seats not_a_decimal']]);
    });

    test('have metadata and a threshold that change without a trace in their timeline', async (database) => {
      await furnish(database);
      const { subscription } = await create(database);
      const fields = { metadata: { deal: '7' }, spendThreshold: '500' };
      const patched = await run(database, (tx) =>
        patchSubscription(tx, { namespace, id: idOf(1), fields, now: LATER }),
      );
      expect(patched).to.deep.equal({ ...subscription, ...fields, updatedAt: LATER });
      const bad = run(database, (tx) =>
        patchSubscription(tx, {
          namespace,
          id: idOf(1),
          fields: { metadata: {}, spendThreshold: '-1' },
          now: LATER,
        }),
      );
      expect(await refused(bad)).to.deep.equal(['invalid_subscription', ['/spendThreshold not_above_zero']]);
      await change(database, { kind: 'change', at: 'now', plan: 'pro' });
      await checkVersionRows(database);
    });
  });

  it('of one customer are bounded', async () => {
    const database = openHostile({ tables: TABLES, schedule: idle(), faults: noFaults });
    await furnish(database);
    await create(database);
    const one = await stored(database);
    await run(database, (tx) => {
      for (let number = 2; number <= SUBSCRIPTIONS_PER_CUSTOMER_MAX; number++)
        tx.insert(subscriptionTable, { namespace, ...one, id: idOf(number) });
      return Promise.resolve();
    });
    expect(await refused(create(database, {}, { number: 5_000 }))).to.deep.equal([
      'too_many_subscriptions',
      [],
    ]);
  });

  it('take changes of several at once one after the other, whatever the store does, and each once', () =>
    simulateSeeds(40, async (sim) => {
      const database = openHostile({ tables: TABLES, schedule: sim, faults: noFaults });
      await furnish(database);
      await create(database);
      database.setFaults(commonFaults);
      const days = [10, 20, 30];
      await Promise.all([
        ...days.map((day) =>
          sim.spawn(`seats-${day}`, () =>
            persist(() =>
              change(
                database,
                { kind: 'change', at: NOW + day * MICROS_PER_DAY, quantities: { seats: String(day) } },
                NOW,
              ),
            ),
          ),
        ),
        sim.spawn('plan', () =>
          persist(() =>
            change(database, { kind: 'change', at: NOW + 15 * MICROS_PER_DAY, plan: 'pro', version: 2 }, NOW),
          ),
        ),
        sim.spawn('migration', () =>
          persist(() => migrate(database, { plan: 'max', version: 1, from: 1, now: NOW })),
        ),
      ]);
      await sim.sleep(1_000_000);
      database.setFaults(noFaults);
      const { terms } = await stored(database);
      // Whoever came first: at its time each change is there, and goes on in those after it.
      expect(
        terms.map(({ from, plan, quantities }) => [(from - NOW) / MICROS_PER_DAY, plan, quantities['seats']]),
      ).to.deep.equal([
        [0, 'max', undefined],
        [10, 'max', '10'],
        [15, 'pro', '10'],
        [20, 'pro', '20'],
        [30, 'pro', '30'],
      ]);
      expect(terms.slice(1).some((each, at) => sayTheSame(terms[at] ?? each, each))).to.equal(false);
      await checkVersionRows(database);
    }));
});
