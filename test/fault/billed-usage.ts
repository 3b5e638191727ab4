import { v7 as uuidV7 } from 'uuid';
import { MICROS_PER_DAY, MICROS_PER_MILLI } from '#domain/instant.ts';
import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { createInvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { verifyInvoice } from '#infra/invoicing/proof/verify-invoice.ts';
import { invoice, numberSeries, type InvoiceRow } from '#infra/invoicing/tables.ts';
import { workOnRun } from '#infra/invoicing/work-on-run.ts';
import { createVersion } from '#infra/plans/drafts.ts';
import { publishVersion } from '#infra/plans/publish-version.ts';
import { putPlan } from '#infra/plans/put-plan.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { putSeller } from '#infra/sellers/put-seller.ts';
import { createSubscription } from '#infra/subscriptions/create-subscription.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { NAMESPACE } from '#test/support/local-stores.ts';
import { PLANNED_SUBJECTS } from '#test/support/reference-plan.ts';

/** Customers who are billed for the usage of a plan's subjects (`planUsage`), day by day, so that a test of some days has many invoices. */

const SELLER = 'ours';
const PLAN = 'usage';
const DEFINITION: PlanVersionDefinition = {
  currencies: ['EUR'],
  phases: [
    {
      key: 'main',
      charges: [
        {
          ...{ key: 'requests', name: 'Requests', meter: 'requests', cadence: 'P1D' },
          price: { model: 'perUnit', unitPrice: '0.013' },
        },
        {
          ...{ key: 'models', name: 'By model', meter: 'requests-by-model', cadence: 'P1D' },
          price: {
            model: 'matrix',
            dimensions: ['model'],
            cells: [{ match: { model: 'm1' }, unitPrice: '0.07' }],
            defaultUnitPrice: '0.01',
          },
        },
      ],
    },
  ],
};

export interface BilledStores {
  readonly database: Database;
  readonly warehouse: Warehouse;
}

/** A seller, a plan, and for each planned subject a customer whose subscription began so many whole days ago. */
export async function sellPlannedUsage({ database }: BilledStores, days: number): Promise<void> {
  const now = systemScheduler.now();
  const startAt = Math.floor(now / MICROS_PER_DAY - days) * MICROS_PER_DAY;
  const transact = (work: (tx: Transaction) => Promise<unknown>): Promise<unknown> => database.transact(work);
  const of = { namespace: NAMESPACE, now };
  const seller = { name: 'Ours Ltd', taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }] };
  await transact((tx) => putSeller(tx, { ...of, key: SELLER, seller }));
  await transact((tx) => putPlan(tx, { ...of, key: PLAN, name: 'Usage' }));
  await transact((tx) => createVersion(tx, { ...of, plan: PLAN, definition: DEFINITION }));
  await transact((tx) => publishVersion(tx, { ...of, plan: PLAN, version: 1 }));
  for (const [place, subject] of PLANNED_SUBJECTS.entries()) {
    const key = `customer-${place}`;
    const customer = { name: subject, subjects: [subject], currency: 'EUR' };
    await transact((tx) => putCustomer(tx, { ...of, key, customer }));
    const id = uuidV7({ msecs: Math.floor(now / MICROS_PER_MILLI) });
    const request = { plan: PLAN, startAt, anchor: 'start' as const };
    await transact((tx) => createSubscription(tx, { ...of, customer: key, id, request }));
  }
}

/**
 * Bills and issues what was due by so many days ago. Usage has an hour to become complete and another of grace, so that until 02:00 UTC the day before is
 * not billed yet: with two days ago at first, a later call has more to bill at any time of day.
 */
export async function billEverything(stores: BilledStores, daysAgo = 0): Promise<void> {
  const now = systemScheduler.now();
  const asOf = now - daysAgo * MICROS_PER_DAY;
  const { result } = await stores.database.transact((tx) =>
    createInvoiceRun(tx, { namespace: NAMESPACE, asOf, now }),
  );
  await workOnRun(stores, {
    ...{ namespace: NAMESPACE, run: result.id, worker: 'test', scheduler: systemScheduler },
  });
}

export async function invoicesOf({ database }: BilledStores): Promise<InvoiceRow[]> {
  const rows = await Array.fromAsync(database.scan(invoice, { prefix: [NAMESPACE] }));
  return rows.sort((a, b) => ((a.number ?? '') < (b.number ?? '') ? -1 : 1));
}

/** What is wrong with the numbers: one given twice, one left out, or the next one not next. Empty when nothing is. */
export async function faultsOfNumbers(stores: BilledStores): Promise<string[]> {
  const faults: string[] = [];
  const numbers = (await invoicesOf(stores)).flatMap(({ number }) => number ?? []);
  for (const { series, year, next } of await Array.fromAsync(
    stores.database.scan(numberSeries, { prefix: [NAMESPACE] }),
  )) {
    const wanted = Array.from(
      { length: next - 1 },
      (_, i) => `${series}${year}-${String(i + 1).padStart(6, '0')}`,
    );
    const given = numbers.filter((number) => number.startsWith(`${series}${year}-`));
    if (given.join() !== wanted.join()) faults.push(`${series}${year} is at ${next}: ${given.join()}`);
  }
  return faults;
}

/** Invoices that their raw events, prices and roots do not prove. */
export async function unprovedInvoices(stores: BilledStores): Promise<string[]> {
  const unproved: string[] = [];
  for (const { id, number } of await invoicesOf(stores)) {
    const verified = await verifyInvoice(stores, { namespace: NAMESPACE, id });
    if (!verified.equal) unproved.push(`${number}: ${JSON.stringify(verified)}`);
  }
  return unproved;
}
