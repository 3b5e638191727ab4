import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { StoreError } from '#infra/database/errors.ts';
import { createInvoiceRun, readInvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { workOnRun, type Pace } from '#infra/invoicing/work-on-run.ts';
import { noWarehouseFaults, openHostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import { simulatedScheduler } from '#test/support/simulated-scheduler.ts';
import { simulateSeeds, type Simulation } from '#test/support/simulation.ts';
import {
  BILLING_TABLES,
  billingWorld,
  feeCharge,
  NAMESPACE,
  planOf,
  TOKENS,
  tokensCharge,
  type BillingWorld,
} from './billing-world.ts';

const SEEDS = 60;
const CUSTOMERS = ['a', 'b', 'c', 'd', 'e'];
/** Small, so that parts and commits are many. */
const PACE: Pace = { payersPerPart: 2, rowsPerCommit: 12, issuedPerCommit: 3 };

/** December and the next fee are due of everybody, and nothing is billed yet. */
async function prepare(world: BillingWorld): Promise<void> {
  await world.meter('tokens', TOKENS);
  await world.plan('pro', planOf([feeCharge('20'), tokensCharge('0.01')]));
  for (const [place, key] of CUSTOMERS.entries()) {
    await world.customer(key);
    const startAt = Date.parse('2025-12-01T00:00:00Z') * 1_000;
    await world.subscribe(key, { plan: 'pro', startAt, anchor: 'calendar' });
    await world.use(key, '2025-12-15T12:00:00Z', 100 * (place + 1));
  }
  await world.reach('2026-01-01T00:10:00Z');
}

/** Works on a run as a process does that somebody starts again whenever it fails. */
async function insist(world: BillingWorld, sim: Simulation, name: string, run: string): Promise<void> {
  const scheduler = simulatedScheduler(sim);
  let made = 0;
  for (;;) {
    try {
      const newId = () => `${name}-${String(++made).padStart(4, '0')}`;
      const work = { namespace: NAMESPACE, run, worker: name, scheduler, graceMicros: 0, pace: PACE, newId };
      return await workOnRun(world, work);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      await sim.sleep(1_000);
    }
  }
}

async function checkBilledOnce(world: BillingWorld): Promise<void> {
  const rows = await world.rows();
  for (const [place, key] of CUSTOMERS.entries()) {
    const own = rows.filter(({ customer }) => customer === key);
    const bills = own.map(({ date, totals }) => `${formatInstant(date).slice(0, 10)} ${totals.total}`).sort();
    expect(bills, key).to.deep.equal(['2025-12-01 20', `2026-01-01 ${place + 21}`]);
  }
  expect(rows.every(({ state }) => state === 'issued')).to.equal(true);
  const numbers = rows.map(({ number }) => number).sort();
  expect(numbers).to.deep.equal(rows.map((_, at) => `INV-2026-${String(at + 1).padStart(6, '0')}`));
}

describe('two runs at once', () => {
  it('bill each period once and number without gaps, whatever is killed and whatever answer is lost', () =>
    simulateSeeds(SEEDS, async (sim) => {
      const database = openHostile({ tables: BILLING_TABLES, schedule: sim, faults: noFaults });
      const warehouse = openHostileWarehouse({ schedule: sim, faults: noWarehouseFaults });
      const world = billingWorld(database, warehouse, '2026-01-01T00:10:00Z');
      await prepare(world);
      const runs = await Promise.all(
        [1, 2].map(() =>
          world.transact((tx) => createInvoiceRun(tx, { namespace: NAMESPACE, now: world.clock.now })),
        ),
      );
      database.setFaults(commonFaults);
      const [first = '', second = ''] = runs.map(({ id }) => id);
      const killed = sim.spawn('killed', () => insist(world, sim, 'killed', first));
      void killed;
      const lasting = [
        sim.spawn('one', () => insist(world, sim, 'one', first)),
        sim.spawn('two', () => insist(world, sim, 'two', second)),
      ];
      await sim.sleep(Math.floor(sim.random() * 20_000));
      sim.crash('killed');
      await Promise.all(lasting);
      database.setFaults(noFaults);
      await checkBilledOnce(world);
      const ended = await Promise.all(
        [first, second].map((id) => readInvoiceRun(database, { namespace: NAMESPACE, id })),
      );
      expect(ended.map(({ state }) => state)).to.deep.equal(['done', 'done']);
      const counted = ended.reduce((sum, { soFar }) => sum + soFar.invoices, 0);
      expect(counted).to.equal(2 * CUSTOMERS.length);
    }));
});
