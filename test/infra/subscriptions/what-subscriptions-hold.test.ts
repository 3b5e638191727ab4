import { expect } from 'chai';
import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import { activateMeter, revertMeter } from '#infra/catalogue/activate-meter.ts';
import { archiveMeter } from '#infra/catalogue/archive-meter.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { archiveCustomer } from '#infra/customers/archive-customer.ts';
import type { Database } from '#infra/database/database.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { createVersion } from '#infra/plans/drafts.ts';
import { archiveVersion, publishVersion } from '#infra/plans/publish-version.ts';
import { putPlan } from '#infra/plans/put-plan.ts';
import { RuleError } from '#infra/rule-error.ts';
import { customer as customerTable } from '#infra/customers/tables.ts';
import { subscription as subscriptionTable } from '#infra/subscriptions/tables.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import { simulateSeeds } from '#test/support/simulation.ts';
import {
  change,
  create,
  furnish,
  LATER,
  namespace,
  NOW,
  refused,
  run,
  TABLES,
} from './subscription-fixture.ts';

const stopMeter = (database: Database, now: Instant = LATER) =>
  run(database, (tx) => archiveMeter(tx, { namespace, key: 'calls', now }));
const archive = (database: Database, now: Instant = LATER) =>
  run(database, (tx) => archiveCustomer(tx, { namespace, key: 'acme', now }));
const activate = (database: Database, version: number) =>
  run(database, (tx) => activateMeter(tx, { namespace, key: 'calls', version, now: LATER }));
const close = (database: Database, version = 1) =>
  run(database, (tx) => archiveVersion(tx, { namespace, plan: 'api', version, now: NOW }));

const CALLS: MeterDefinition = { name: 'Calls', eventType: 'call', aggregation: 'count' };
const put = (database: Database, dimensions?: Record<string, string>) =>
  putMeter(database, {
    namespace,
    key: 'calls',
    definition: { ...CALLS, ...(dimensions && { dimensions }) },
  });

/** Calls by region, and by their number. */
const BY_REGION: PlanVersionDefinition = {
  currencies: ['USD'],
  phases: [
    {
      key: 'main',
      charges: [
        {
          key: 'regions',
          meter: 'calls',
          price: {
            model: 'matrix',
            dimensions: ['region'],
            cells: [{ match: { region: 'eu' }, unitPrice: '0.2' }],
            defaultUnitPrice: '0.1',
          },
        },
        { key: 'all', meter: 'calls', price: { model: 'perUnit', unitPrice: '0.01' } },
      ],
    },
  ],
};

/** Beside the usual plans one of the meter `calls`, published. */
async function furnishCalls(database: Database): Promise<void> {
  await furnish(database);
  await put(database, { region: 'region' });
  await run(database, (tx) => putPlan(tx, { namespace, key: 'api', name: 'API', now: NOW }));
  await run(database, (tx) => createVersion(tx, { namespace, plan: 'api', definition: BY_REGION, now: NOW }));
  await run(database, (tx) => publishVersion(tx, { namespace, plan: 'api', version: 1, now: NOW }));
}

describe('what subscriptions hold', () => {
  onBothDrivers(TABLES, (test) => {
    test('a meter is not archived while a subscription is on an archived version that prices it', async (database) => {
      await furnishCalls(database);
      await create(database, { plan: 'api' });
      await close(database);
      expect((await refused(stopMeter(database)))[0]).to.equal('meter_in_use');
      await change(database, { kind: 'cancel', at: LATER + MICROS_PER_DAY });
      expect((await refused(stopMeter(database)))[0]).to.equal('meter_in_use');
      // Nothing is written when the end comes, and yet it is over.
      const stopped = await stopMeter(database, LATER + MICROS_PER_DAY);
      expect(stopped.every(({ until }) => until !== null)).to.equal(true);
    });

    test('a meter is archived once those who were on such a version have left it', async (database) => {
      await furnishCalls(database);
      await create(database, { plan: 'api' });
      await close(database);
      await change(database, { kind: 'change', at: 'now', plan: 'max' });
      expect((await stopMeter(database)).every(({ until }) => until !== null)).to.equal(true);
    });

    test('a customer is not archived while a subscription goes on or is to begin', async (database) => {
      await furnishCalls(database);
      await create(database, { startAt: LATER + MICROS_PER_DAY });
      expect((await refused(archive(database, NOW)))[0]).to.equal('customer_has_subscriptions');
      await change(database, { kind: 'cancel', at: LATER + 9 * MICROS_PER_DAY });
      expect((await refused(archive(database)))[0]).to.equal('customer_has_subscriptions');
      const ended = LATER + 9 * MICROS_PER_DAY;
      expect((await archive(database, ended)).archivedAt).to.equal(ended);
    });

    test('a version of a meter is not activated that cannot tell what plans price', async (database) => {
      await furnishCalls(database);
      await put(database);
      const missing = '/plans/api/versions/1/phases/0/charges/0/price/dimensions/0 unknown_dimension';
      expect(await refused(activate(database, 2))).to.deep.equal(['prices_not_served', [missing]]);
      await create(database, { plan: 'api' });
      await close(database);
      expect((await refused(activate(database, 2)))[0], 'archived, and subscribed').to.equal(
        'prices_not_served',
      );
      await change(database, { kind: 'cancel', at: 'now' });
      expect((await activate(database, 2)).version).to.equal(2);
    });

    test('a version of a meter is activated, and switched back to, that can tell it', async (database) => {
      await furnishCalls(database);
      await put(database, { region: 'zone', tier: 'tier' });
      expect((await activate(database, 2)).version).to.equal(2);
      const back = await run(database, (tx) => revertMeter(tx, { namespace, key: 'calls', now: LATER }));
      expect(back.version).to.equal(1);
    });
  });

  it('no subscription goes on with a customer who was archived at the same time', () =>
    simulateSeeds(40, async (sim) => {
      const database = openHostile({ tables: TABLES, schedule: sim, faults: noFaults });
      await furnish(database);
      database.setFaults(commonFaults);
      const insist = async (work: () => Promise<unknown>): Promise<void> => {
        for (;;) {
          const error = await rejectionOf(work());
          if (error === undefined || error instanceof RuleError) return;
        }
      };
      await Promise.all([
        sim.spawn('subscribes', () => insist(() => create(database))),
        sim.spawn('archives', () => insist(() => archive(database, NOW))),
      ]);
      const [acme] = database.rows(customerTable);
      const running = database.rows(subscriptionTable).filter(({ endAt }) => endAt === null);
      expect([acme?.archivedAt === null, running.length]).to.deep.equal(
        running.length === 1 ? [true, 1] : [false, 0],
      );
    }));
});
