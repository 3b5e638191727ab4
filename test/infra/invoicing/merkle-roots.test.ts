import { expect } from 'chai';
import { issueInvoice, prepareIssue } from '#infra/invoicing/issue-invoices.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { noWarehouseFaults, openHostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { QueryParameters, Warehouse } from '#infra/warehouse/warehouse.ts';
import { instant } from '#test/infra/usage/usage-fixture.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';
import {
  BILLING_TABLES,
  billingWorld,
  feeCharge,
  NAMESPACE,
  planOf,
  TOKENS,
  tokensCharge,
} from './billing-world.ts';

/** A warehouse that has not got the last event yet. */
const lagging = (warehouse: Warehouse): Warehouse => ({
  ...warehouse,
  async *query(name: string, parameters: QueryParameters) {
    const rows = await Array.fromAsync(warehouse.query(name, parameters));
    yield* rows.slice(0, -1);
  },
});

const schedule = {
  point: () => Promise.resolve(),
  random: seededRandom(1).next,
  now: () => SIMULATION_START,
};

describe('invoices whose events are not all in the warehouse', () => {
  it('wait for their number until they are, while others get theirs', async () => {
    const database = openHostile({ tables: BILLING_TABLES, schedule, faults: noFaults });
    const complete = openHostileWarehouse({ schedule, faults: noWarehouseFaults });
    const start = '2026-01-01T00:00:00Z';
    const world = billingWorld(database, complete, start);
    await world.meter('tokens', TOKENS);
    await world.plan('used', planOf([tokensCharge('0.01')]));
    await world.plan('fees', planOf([feeCharge('20')]));
    for (const [customer, plan] of [
      ['acme', 'used'],
      ['zeta', 'fees'],
    ] as const) {
      await world.customer(customer);
      await world.subscribe(customer, { plan, startAt: instant(start), anchor: 'calendar' });
    }
    await world.use('acme', '2026-01-10T00:00:00Z', 100);
    await world.use('acme', '2026-01-20T00:00:00Z', 200);
    await world.reach('2026-02-02T00:00:00Z');
    const behind = billingWorld(database, lagging(complete), '2026-02-02T00:00:00Z');
    await behind.run();
    const states = async () =>
      (await world.rows()).map(({ customer, state }) => `${customer} ${state}`).sort();
    expect(await states()).to.deep.equal(['acme finalised', 'zeta issued', 'zeta issued']);

    const [waiting] = (await world.rows()).filter(({ state }) => state === 'finalised');
    if (waiting === undefined) expect.fail('none waits');
    const [prepared] = await prepareIssue(behind, [waiting]);
    const refused: unknown = await world
      .transact((tx) =>
        issueInvoice(tx, { namespace: NAMESPACE, id: waiting.id, now: world.clock.now }, prepared),
      )
      .catch((error: unknown) => error);
    expect(refused).to.include({ code: 'invoice_not_proved' });

    await world.run();
    expect(await states()).to.deep.equal(['acme issued', 'zeta issued', 'zeta issued']);
    const numbers = (await world.rows()).map(({ number }) => number?.slice(-1)).sort();
    expect(numbers).to.deep.equal(['1', '2', '3']);
  });
});
