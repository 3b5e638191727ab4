import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_MINUTE, MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import type { Transaction } from '#infra/database/database.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import type { Schedule } from '#infra/database/hostile/schedule.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { openHostile, type HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { createInvoiceRun, readInvoiceRun, type InvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { readContent, type StoredInvoice } from '#infra/invoicing/read-invoices.ts';
import { invoice, type InvoiceRow } from '#infra/invoicing/tables.ts';
import { workOnRun, type WorkOnRun } from '#infra/invoicing/work-on-run.ts';
import { LOCAL_TABLES } from '#infra/local/open-local.ts';
import { createVersion } from '#infra/plans/drafts.ts';
import { publishVersion } from '#infra/plans/publish-version.ts';
import { putPlan } from '#infra/plans/put-plan.ts';
import { putSeller } from '#infra/sellers/put-seller.ts';
import { subscription as subscriptionTable } from '#infra/subscriptions/tables.ts';
import { storedSubscription, type StoredSubscription } from '#infra/subscriptions/read-subscriptions.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { watermark } from '#infra/usage/tables.ts';
import {
  noWarehouseFaults,
  openHostileWarehouse,
  type HostileWarehouse,
} from '#infra/warehouse/hostile/hostile-warehouse.ts';
import { warehouseSegment } from '#infra/warehouse/segment.ts';
import { delivery, FEED, NAMESPACE } from '#test/infra/usage/usage-fixture.ts';
import { seededRandom, type SeededRandom } from '#test/support/seeded-random.ts';
import { CURRENCIES, PLANS } from './plans.ts';
import { METERS, UsageLog, type Used } from './usage-log.ts';

/** Customers of two sellers in zones from one end of the day to the other, with stores of their own, and a clock that a test moves. */
export interface Town {
  readonly draw: SeededRandom;
  readonly database: HostileDatabase;
  readonly warehouse: HostileWarehouse;
  readonly clock: { now: Instant };
  readonly scheduler: Scheduler;
  readonly usage: UsageLog;
  /** Names things in the order in which they are made. */
  readonly newId: () => string;
  readonly customers: readonly Citizen[];
}

export interface Citizen {
  readonly key: string;
  readonly zone: string;
  readonly currency: string;
  readonly seller: string;
  /** Who pays for it. */
  readonly parent: string | null;
  readonly subjects: readonly string[];
}

/** The farthest east and west, those at :30 and :45, and those whose clocks change: at midnight, by half an hour, in the south. */
export const ZONES = [
  'Pacific/Pago_Pago',
  'Pacific/Kiritimati',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Eucla',
  'America/St_Johns',
  'Europe/Berlin',
  'America/New_York',
  'America/Santiago',
  'Asia/Beirut',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'UTC',
] as const;

const SELLERS = {
  north: {
    name: 'North',
    prices: 'exclusive' as const,
    taxRates: [{ code: 'vat', jurisdiction: 'NN', rate: '19' }],
    numbering: { prefix: 'N-', timezone: 'Pacific/Kiritimati' },
  },
  south: {
    name: 'South',
    prices: 'inclusive' as const,
    taxRates: [{ code: 'gst', jurisdiction: 'SS', rate: '7.5' }],
    numbering: { prefix: 'S-', timezone: 'Pacific/Pago_Pago' },
  },
};

const KEYS = ['ada', 'bob', 'cas', 'dot', 'eve', 'fay'] as const;

const drawCitizens = (draw: SeededRandom): Citizen[] =>
  KEYS.map((key) => ({
    key,
    zone: draw.pick(ZONES),
    currency: draw.pick(CURRENCIES),
    seller: draw.pick(['north', 'south']),
    parent: key === 'bob' || key === 'cas' ? 'ada' : key === 'dot' ? 'cas' : null,
    subjects: draw.chance(1 / 2) ? [key] : [`${key}-1`, `${key}-2`],
  }));

/** Customers, sellers and plans are there already when life in a town begins. Time stands still until a test moves it. */
export async function foundTown(draw: SeededRandom, start: Instant): Promise<Town> {
  const clock = { now: start };
  const now = (): Instant => clock.now;
  const schedule = { point: () => Promise.resolve(), random: seededRandom(1).next, now };
  return townOn(schedule, { draw, clock, scheduler: { now, sleep: untilAborted } });
}

/** A lease is never lost where time stands still: whoever keeps it waits for the end of the work. */
const untilAborted = (_: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal === undefined || signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

export async function townOn(
  schedule: Schedule,
  { draw, clock, scheduler }: Pick<Town, 'draw' | 'clock' | 'scheduler'>,
): Promise<Town> {
  // The hostile warehouse has rows of its own.
  const tables = LOCAL_TABLES.filter((table) => table !== warehouseSegment);
  let ids = 0;
  const town: Town = {
    ...{ draw, clock, scheduler },
    database: openHostile({ tables, schedule, faults: noFaults }),
    warehouse: openHostileWarehouse({ schedule, faults: noWarehouseFaults }),
    usage: new UsageLog(),
    newId: () => `00000000-0000-7000-8000-${String(++ids).padStart(12, '0')}`,
    customers: drawCitizens(draw),
  };
  await settle(town);
  return town;
}

async function settle(town: Town): Promise<void> {
  const { database, clock, customers } = town;
  const at = { namespace: NAMESPACE, now: clock.now };
  for (const [key, definition] of Object.entries(METERS))
    await putMeter(database, { namespace: NAMESPACE, key, definition });
  for (const [key, seller] of Object.entries(SELLERS))
    await transact(town, (tx) => putSeller(tx, { ...at, key, seller }));
  for (const { plan, version, state: _, ...definition } of PLANS) {
    await transact(town, (tx) => putPlan(tx, { ...at, key: plan, name: plan }));
    await transact(town, (tx) => createVersion(tx, { ...at, plan, definition }));
    await transact(town, (tx) => publishVersion(tx, { ...at, plan, version }));
  }
  for (const { key, zone: timezone, currency, seller, parent, subjects } of customers)
    await transact(town, (tx) =>
      putCustomer(tx, { ...at, key, customer: { name: key, timezone, currency, seller, parent, subjects } }),
    );
}

export const transact = async <Result>(
  { database }: Pick<Town, 'database'>,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> => (await database.transact(work)).result;

/** Commits events as the pipeline does, and appends them to the warehouse. */
export async function publish(
  { database, warehouse, clock, usage }: Town,
  events: readonly Used[],
): Promise<void> {
  if (events.length === 0) return;
  const context = {
    database,
    warehouse,
    catalogues: createCatalogues(database),
    feed: FEED,
    slot: 0,
    clock: () => clock.now,
  };
  const deliveries = events.map(({ id, subject, time, meter, value, model }) =>
    delivery({
      id,
      subject,
      type: meter,
      time: formatInstant(time),
      publishTime: Math.min(time + MICROS_PER_SECOND, clock.now),
      data: { value, model },
    }),
  );
  const committed = await commitDeliveries(context, deliveries);
  await appendEventRows({ database, warehouse }, eventRowsOf(committed));
  for (const used of events) usage.add(used);
}

/** Says that everything published by now is committed. */
export const reachNow = (town: Town): Promise<void> =>
  transact(town, async (tx) =>
    tx.upsert(watermark, {
      feed: FEED,
      worker: 'w',
      namespace: NAMESPACE,
      committedThrough: town.clock.now,
      heartbeatAt: town.clock.now,
      latenessMicros: 0,
    }),
  );

export const roll = async ({ database, clock }: Town): Promise<void> =>
  void (await rollDays(database, NAMESPACE, clock.now));

/** So long after a moment its usage is billed. */
export const GRACE_MICROS = MICROS_PER_MINUTE;

/** Bills what is due by a moment a little ago, so that no usage is waited for. */
export async function billTown(town: Town): Promise<InvoiceRun> {
  const run = await beginRun(town);
  await workOnRun(town, workOf(town, run, 'w'));
  return readInvoiceRun(town.database, { namespace: NAMESPACE, id: run });
}

/** Its id. */
export async function beginRun(town: Town): Promise<string> {
  const { now } = town.clock;
  const request = { namespace: NAMESPACE, now, asOf: now - 2 * GRACE_MICROS };
  return (await transact(town, (tx) => createInvoiceRun(tx, request))).id;
}

export const workOf = ({ scheduler, newId }: Town, run: string, worker: string): WorkOnRun => ({
  ...{ namespace: NAMESPACE, run, worker, scheduler, newId },
  graceMicros: GRACE_MICROS,
});

export const subscriptionsOf = ({ database }: Pick<Town, 'database'>): StoredSubscription[] =>
  database.rows(subscriptionTable).map(storedSubscription);

export const invoiceRows = ({ database }: Pick<Town, 'database'>): InvoiceRow[] => database.rows(invoice);

/** Those that count for something, in the order in which they were made. */
export const countingInvoices = (town: Pick<Town, 'database'>, withVoid = false): Promise<StoredInvoice[]> =>
  Promise.all(
    invoiceRows(town)
      .filter(({ state }) => withVoid || state !== 'void')
      .map(async (row) => ({ row, content: await readContent(town.database, row) })),
  );
