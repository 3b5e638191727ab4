import { MICROS_PER_MINUTE, MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import type { PlanCharge } from '#domain/plans/plan-version.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { meterVersion } from '#infra/catalogue/tables.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import type { CustomerDefinition } from '#infra/customers/customer-definition.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import {
  createInvoiceRun,
  readInvoiceRun,
  type CreateInvoiceRun,
  type InvoiceRun,
} from '#infra/invoicing/invoice-runs.ts';
import { listInvoices, readInvoice, type StoredInvoice } from '#infra/invoicing/read-invoices.ts';
import { invoice, type InvoiceRow } from '#infra/invoicing/tables.ts';
import { workOnRun, type WorkOnRun } from '#infra/invoicing/work-on-run.ts';
import { LOCAL_TABLES } from '#infra/local/open-local.ts';
import { createVersion } from '#infra/plans/drafts.ts';
import { publishVersion } from '#infra/plans/publish-version.ts';
import { putPlan } from '#infra/plans/put-plan.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { changeSubscription, type ChangeRequest } from '#infra/subscriptions/change-subscription.ts';
import { createSubscription, type SubscriptionRequest } from '#infra/subscriptions/create-subscription.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { deadLetter, watermark } from '#infra/usage/tables.ts';
import { warehouseSegment } from '#infra/warehouse/segment.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { delivery, FEED, instant } from '#test/infra/usage/usage-fixture.ts';

export const NAMESPACE = 'default';
/** The hostile warehouse has rows of its own. */
export const BILLING_TABLES = LOCAL_TABLES.filter((table) => table !== warehouseSegment);

export const TOKENS: MeterDefinition = { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'v' };

export const feeCharge = (amount: string, rest: Partial<PlanCharge> = {}): PlanCharge => ({
  key: 'fee',
  name: 'Fee',
  timing: 'inAdvance',
  price: { model: 'flat', amount },
  ...rest,
});

export const tokensCharge = (unitPrice: string, rest: Partial<PlanCharge> = {}): PlanCharge => ({
  key: 'tokens',
  name: 'Tokens',
  meter: 'tokens',
  price: { model: 'perUnit', unitPrice },
  ...rest,
});

export const planOf = (
  charges: readonly PlanCharge[],
  rest: Partial<PlanVersionDefinition> = {},
): PlanVersionDefinition => ({
  currencies: ['EUR'],
  phases: [{ key: 'main', charges }],
  ...rest,
});

/** Customers, plans, usage and time of a test, on whatever stores it has. Time passes only when it says so. */
export interface BillingWorld {
  readonly database: Database;
  readonly warehouse: Warehouse;
  readonly clock: { now: Instant };
  readonly scheduler: Scheduler;
  meter(key: string, definition: MeterDefinition): Promise<void>;
  customer(key: string, said?: Partial<CustomerDefinition>): Promise<void>;
  plan(key: string, definition: PlanVersionDefinition): Promise<void>;
  /** Its id. */
  subscribe(customer: string, request: SubscriptionRequest): Promise<string>;
  change(id: string, change: ChangeRequest): Promise<void>;
  use(subject: string, time: string, v: number, data?: Readonly<Record<string, string>>): Promise<void>;
  /** An event of the subject that was refused. */
  deadLetter(subject: string): Promise<void>;
  /** As if the catalogue were broken: no meter can be read any more. */
  removeMeters(): Promise<void>;
  /** Says that everything published before is committed, and sets the clock there. */
  reach(time: string): Promise<void>;
  run(request?: Partial<CreateInvoiceRun>, work?: Partial<WorkOnRun>): Promise<InvoiceRun>;
  /** All of a customer, the oldest first. */
  invoices(customer: string): Promise<StoredInvoice[]>;
  rows(): Promise<InvoiceRow[]>;
  transact<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
}

let ids = 0;

export function billingWorld(database: Database, warehouse: Warehouse, start: string): BillingWorld {
  const clock = { now: instant(start) };
  const scheduler: Scheduler = {
    now: () => clock.now,
    // Whoever waits in a test waits for what is done already, or for the end of its work.
    sleep: (_, signal) =>
      signal === undefined
        ? Promise.resolve()
        : new Promise((resolve) => {
            if (signal.aborted) resolve();
            signal.addEventListener('abort', () => resolve(), { once: true });
          }),
  };
  const transact = async <Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> =>
    (await database.transact(work)).result;
  const invoices = async (customer: string): Promise<StoredInvoice[]> => {
    const rows = await listInvoices(database, NAMESPACE, { customer, limit: 1_000 });
    return Promise.all(
      rows.toReversed().map(({ id }) => readInvoice(database, { namespace: NAMESPACE, id })),
    );
  };
  return {
    database,
    warehouse,
    clock,
    scheduler,
    transact,
    invoices,
    meter: async (key, definition) =>
      void (await putMeter(database, { namespace: NAMESPACE, key, definition })),
    customer: async (key, said = {}) =>
      void (await transact((tx) =>
        putCustomer(tx, {
          namespace: NAMESPACE,
          key,
          customer: { name: key, subjects: [key], currency: 'EUR', ...said },
          now: clock.now,
        }),
      )),
    plan: async (key, definition) => {
      const now = clock.now;
      await transact((tx) => putPlan(tx, { namespace: NAMESPACE, key, name: key, now }));
      const { version } = await transact((tx) =>
        createVersion(tx, { namespace: NAMESPACE, plan: key, definition, now }),
      );
      await transact((tx) => publishVersion(tx, { namespace: NAMESPACE, plan: key, version, now }));
    },
    subscribe: async (customer, request) => {
      const id = `00000000-0000-7000-8000-${String(++ids).padStart(12, '0')}`;
      await transact((tx) =>
        createSubscription(tx, { namespace: NAMESPACE, customer, id, request, now: clock.now }),
      );
      return id;
    },
    change: async (id, change) =>
      void (await transact((tx) =>
        changeSubscription(tx, { namespace: NAMESPACE, id, change, now: clock.now }),
      )),
    use: async (subject, time, v, data = {}) => {
      const context = {
        database,
        warehouse,
        catalogues: createCatalogues(database),
        feed: FEED,
        slot: 0,
        clock: () => clock.now,
      };
      const publishTime = instant(time) + MICROS_PER_SECOND;
      const committed = await commitDeliveries(context, [
        delivery({ id: `e-${++ids}`, subject, time, publishTime, data: { v: String(v), ...data } }),
      ]);
      await appendEventRows({ database, warehouse }, eventRowsOf(committed));
    },
    deadLetter: async (subject) =>
      transact(async (tx) =>
        tx.upsert(deadLetter, {
          feed: FEED,
          messageId: `m-${++ids}`,
          namespace: NAMESPACE,
          reason: 'value_missing',
          detail: '',
          state: 'open',
          type: 'use',
          source: 's',
          eventId: 'e',
          subject,
          identity: null,
          publishTime: clock.now,
          receivedAt: clock.now,
          closedAt: null,
          attributes: {},
          bytes: new Uint8Array(),
          bytesHash: null,
        }),
      ),
    removeMeters: () =>
      transact(async (tx) => {
        for await (const { key, version } of tx.scan(meterVersion, { prefix: [NAMESPACE] }))
          tx.delete(meterVersion, [NAMESPACE, key, version]);
      }),
    reach: async (time) => {
      clock.now = instant(time);
      await transact(async (tx) =>
        tx.upsert(watermark, {
          feed: FEED,
          worker: 'w',
          namespace: NAMESPACE,
          committedThrough: clock.now,
          heartbeatAt: clock.now,
          latenessMicros: 0,
        }),
      );
    },
    run: async (request = {}, work = {}) => {
      // Ids rise with the clock, and lists go by them.
      clock.now += MICROS_PER_SECOND;
      const { id } = await transact((tx) =>
        createInvoiceRun(tx, { namespace: NAMESPACE, now: clock.now, ...request }),
      );
      await workOnRun(
        { database, warehouse },
        { namespace: NAMESPACE, run: id, worker: 'test', scheduler, graceMicros: MICROS_PER_MINUTE, ...work },
      );
      return readInvoiceRun(database, { namespace: NAMESPACE, id });
    },
    rows: () => Array.fromAsync(database.scan(invoice, { prefix: [NAMESPACE] })),
  };
}

/** What an invoice says, a line each: kind, charge, period, quantity, amount. */
export const said = ({ content }: StoredInvoice): string[] =>
  content.lines.map(
    ({ kind, charge, period, quantity, amount }) =>
      `${kind} ${charge ?? '-'} ${formatInstant(period.from).slice(0, 10)}..${formatInstant(period.to).slice(0, 10)} ${quantity ?? '-'} = ${amount}`,
  );
