import { expect } from 'chai';
import { MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import type { Table } from '#infra/database/table.ts';
import { createInvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { previewInvoices } from '#infra/invoicing/preview-invoices.ts';
import { listInvoices } from '#infra/invoicing/read-invoices.ts';
import { workOnRun } from '#infra/invoicing/work-on-run.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { createVersion } from '#infra/plans/drafts.ts';
import { archiveVersion } from '#infra/plans/publish-version.ts';
import { plan, planMeter, planVersion } from '#infra/plans/tables.ts';
import { putSeller } from '#infra/sellers/put-seller.ts';
import { subscription, versionSubscription } from '#infra/subscriptions/tables.ts';
import { watermark } from '#infra/usage/tables.ts';
import {
  billingWorld,
  feeCharge,
  planOf,
  TOKENS,
  tokensCharge,
  type BillingWorld,
} from '#test/infra/invoicing/billing-world.ts';
import { inLocalDirectory, NAMESPACE, openStores, type Cleanup } from '#test/support/local-stores.ts';
import { rejectionOf } from '#test/support/both-drivers.ts';
import { exportTo, importFrom } from './moved-namespace.ts';

const OTHER = 'other';

interface Moved {
  readonly world: BillingWorld;
  readonly stores: LocalStores;
  readonly directory: string;
  /** The subscription of `acme`, billed by number, and of `open`, on an invoice without one. */
  readonly ids: { readonly acme: string; readonly open: string };
}

/** Two customers with seats, fees and usage who were billed for January and February; and what a plan may say, in several versions. */
async function billed(directory: string, cleanup: Cleanup): Promise<Moved> {
  const stores = await openStores(directory);
  cleanup.defer(() => stores.close());
  const world = billingWorld(stores.database, stores.warehouse, '2026-01-01T00:00:00Z');
  const seller = { name: 'Millrace GmbH', numbering: { prefix: 'MR', timezone: 'Europe/Berlin' } };
  await world.transact((tx) =>
    putSeller(tx, { namespace: NAMESPACE, key: 'gmbh', seller, now: world.clock.now }),
  );
  await world.meter('tokens', { ...TOKENS, dimensions: { model: 'model' } });
  const seats = feeCharge('9', { key: 'seats', price: { model: 'perUnit', unitPrice: '9' } });
  const matrix = {
    model: 'matrix',
    dimensions: ['model'],
    cells: [{ match: { model: 'a' }, unitPrice: '2' }],
  } as const;
  const charges = [
    feeCharge('30'),
    seats,
    tokensCharge('1'),
    tokensCharge('0', { key: 'by', price: matrix }),
  ];
  await world.plan('pro', planOf(charges, { spendThreshold: { EUR: '1000' } }));
  await world.plan(
    'pro',
    planOf([feeCharge('40'), seats, tokensCharge('1')], { minimum: { amount: { EUR: '5' } } }),
  );
  const draft = planOf(
    [feeCharge('50', { inCurrency: { USD: { price: { model: 'flat', amount: '55' } } } })],
    {
      currencies: ['EUR', 'USD'],
    },
  );
  await world.transact((tx) =>
    createVersion(tx, { namespace: NAMESPACE, plan: 'pro', definition: draft, now: world.clock.now }),
  );
  for (const key of ['acme', 'open']) await world.customer(key, { seller: 'gmbh' });
  const request = { plan: 'pro', version: 1, quantities: { seats: '5' }, metadata: { deal: '7' } };
  const ids = { acme: await world.subscribe('acme', request), open: await world.subscribe('open', request) };
  await world.change(ids.acme, {
    kind: 'change',
    at: Date.UTC(2026, 1, 15) * 1_000,
    quantities: { seats: '8' },
  });
  await world.change(ids.acme, { kind: 'change', at: Date.UTC(2026, 3, 1) * 1_000, version: 2 });
  await world.reach('2026-02-02T00:00:00Z');
  await world.run();
  // What is refused of a customer holds the next invoice back.
  await world.deadLetter('open');
  await world.reach('2026-03-02T00:00:00Z');
  await world.run();
  const now = world.clock.now;
  await world.transact((tx) => archiveVersion(tx, { namespace: NAMESPACE, plan: 'pro', version: 1, now }));
  return { world, stores, directory, ids };
}

const rowsOf = async ({ database }: LocalStores, table: Table<object>, namespace: string) =>
  (await Array.fromAsync(database.scan(table, { prefix: [namespace] }))).map((row) => ({
    ...row,
    namespace: '',
  }));

const previewOf = async ({ stores, world }: Moved, namespace: string, customer: string) => {
  const at = Date.UTC(2026, 3, 2) * 1_000;
  const previews = await previewInvoices(stores, { namespace, customer, now: world.clock.now, at });
  return previews.map(({ content }) => content);
};

async function bill({ stores, world }: Moved, namespace: string, now: Instant): Promise<void> {
  const { database } = stores;
  const feed = { feed: 'elsewhere', worker: 'w', namespace, latenessMicros: 0 };
  const { result } = await database.transact(async (tx) => {
    tx.upsert(watermark, { ...feed, committedThrough: now, heartbeatAt: now });
    return createInvoiceRun(tx, { namespace, now });
  });
  const scheduler = { ...world.scheduler, now: () => now };
  const work = { namespace, run: result.id, worker: 'w', scheduler, graceMicros: MICROS_PER_MINUTE };
  await workOnRun(stores, work);
}

const numbersOf = async ({ database }: LocalStores, namespace: string, customer: string) =>
  (await listInvoices(database, namespace, { customer, limit: 100 })).map(({ number }) => number);

describe('what is sold and billed, exported and imported under another name', () => {
  it('says the same: plans with their versions, and subscriptions with their history and schedule', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const moved = await billed(directory, cleanup);
      const path = await exportTo(moved.stores, directory, NAMESPACE);
      for (const times of ['once', 'again']) {
        await importFrom(moved.stores, path, { namespace: OTHER });
        for (const table of [
          planVersion,
          planMeter,
          subscription,
          versionSubscription,
          plan,
        ] as Table<object>[]) {
          const [from, to] = [
            await rowsOf(moved.stores, table, NAMESPACE),
            await rowsOf(moved.stores, table, OTHER),
          ];
          const said = (row: object) => (table === plan ? { ...row, updatedAt: 0 } : row);
          expect(to.map(said), `${table.name} ${times}`).to.deep.equal(from.map(said)).and.to.not.be.empty;
        }
      }
    }));

  it('is not billed again, and numbers go on where they were', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const moved = await billed(directory, cleanup);
      const { stores } = moved;
      const path = await exportTo(stores, directory, NAMESPACE);
      await importFrom(stores, path, { namespace: OTHER });
      await bill(moved, OTHER, moved.world.clock.now);
      expect(await numbersOf(stores, OTHER, 'acme'), 'all of it is on documents elsewhere').to.deep.equal([]);
      const [there] = await previewOf(moved, NAMESPACE, 'acme');
      const [here] = await previewOf(moved, OTHER, 'acme');
      expect(here?.totals).to.deep.equal(there?.totals);
      expect(here?.lines).to.deep.equal(there?.lines);
      await bill(moved, OTHER, Date.UTC(2026, 3, 3) * 1_000);
      const before = (await moved.world.rows()).flatMap(({ number }) => number ?? []);
      expect(before.sort().at(-1)).to.equal('MR2026-000005');
      expect(await numbersOf(stores, OTHER, 'acme')).to.deep.equal(['MR2026-000007']);
    }));

  it('is due again where it was on an invoice without a number, which stays behind', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const moved = await billed(directory, cleanup);
      const path = await exportTo(moved.stores, directory, NAMESPACE);
      await importFrom(moved.stores, path, { namespace: OTHER });
      const [parked] = (await moved.world.rows()).filter(({ state }) => state === 'draft');
      expect(parked?.customer).to.equal('open');
      await bill(moved, OTHER, moved.world.clock.now);
      const [made] = await listInvoices(moved.stores.database, OTHER, { customer: 'open', limit: 9 });
      expect([made?.date, made?.totals]).to.deep.equal([parked?.date, parked?.totals]);
    }));

  it('is refused where the file says what cannot be, naming the line', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const moved = await billed(directory, cleanup);
      const path = await exportTo(moved.stores, directory, NAMESPACE);
      await importFrom(moved.stores, path, { namespace: OTHER });
      await moved.world.change(moved.ids.acme, { kind: 'cancel', at: 'now' });
      const changed = await exportTo(moved.stores, directory, NAMESPACE);
      const error = await rejectionOf(importFrom(moved.stores, changed, { namespace: OTHER }));
      expect(String(error)).to.match(/TransferError: line \d+: the subscription .* says something else/);
    }));
});
