import { expect } from 'chai';
import { createInvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { openStores, inLocalDirectory, NAMESPACE } from '#test/support/local-stores.ts';
import { billingWorld, feeCharge, planOf } from '#test/infra/invoicing/billing-world.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { invoicesCommand } from '../../../scripts/operator/invoices-command.ts';
import { invocation } from './recorded-terminal.ts';

describe('npm run invoices', () => {
  it('bills everybody and says what it came to; before, it ends a run that was cut off, and a dry run writes nothing', () =>
    inLocalDirectory(async (directory) => {
      const stores = await openStores(directory);
      const world = billingWorld(stores.database, stores.warehouse, '2026-03-01T00:00:00Z');
      world.clock.now = systemScheduler.now();
      await world.plan('pro', planOf([feeCharge('20')]));
      for (const key of ['a', 'b']) {
        await world.customer(key);
        await world.subscribe(key, { plan: 'pro' });
      }
      const dry = await invoices(directory, ['--dry-run']);
      expect(dry)
        .to.match(/^Would be billed/)
        .and.to.contain('invoices   2 with 2 lines: 40 EUR');
      expect(await world.rows()).to.deep.equal([]);
      await world.transact((tx) =>
        createInvoiceRun(tx, { namespace: NAMESPACE, customers: ['a'], now: systemScheduler.now() }),
      );
      const told = await invoices(directory, []);
      expect(told).to.contain('invoices   1 with 1 lines: 20 EUR').and.to.contain('issued     1');
      expect((await world.rows()).map(({ state }) => state)).to.deep.equal(['issued', 'issued']);
      await stores.close();
    }));

  it('bills many customers by several processes, each once and numbered without a gap', () =>
    inLocalDirectory(async (directory) => {
      const stores = await openStores(directory);
      const world = billingWorld(stores.database, stores.warehouse, '2026-03-01T00:00:00Z');
      world.clock.now = systemScheduler.now();
      await world.plan('pro', planOf([feeCharge('20')]));
      for (let at = 0; at < MANY; at++) {
        await world.customer(`c-${at}`);
        await world.subscribe(`c-${at}`, { plan: 'pro' });
      }
      const told = await invoices(directory, ['--workers', '2']);
      expect(told).to.contain(`invoices   ${MANY} with`).and.to.contain(`issued     ${MANY}`);
      const rows = await world.rows();
      expect(new Set(rows.map(({ customer }) => customer)).size).to.equal(MANY);
      const numbers = rows.map(({ number }) => Number(number?.split('-').at(-1)));
      expect(numbers.sort((a, b) => a - b)).to.deep.equal(rows.map((_, at) => at + 1));
      await stores.close();
    }));

  it('refuses a number of processes that is none', async () => {
    let refusal: unknown;
    await invoices('.', ['--workers', '0']).catch((error: unknown) => (refusal = error));
    expect(String(refusal)).to.contain('--workers 0 is not a number from 1');
  });
});

/** For fewer no second process is started. */
const MANY = 520;

async function invoices(directory: string, args: readonly string[]): Promise<string> {
  const called = invocation(directory, args);
  await invoicesCommand(called);
  return called.terminal.written();
}
