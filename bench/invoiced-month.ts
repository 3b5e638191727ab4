import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY, MICROS_PER_MILLI, MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import type { PlanCharge } from '#domain/plans/plan-version.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { createInvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { workOnRun } from '#infra/invoicing/work-on-run.ts';
import {
  LOCAL_FEED,
  localCommitContext,
  maintainLocal,
  openLocal,
  type LocalStores,
} from '#infra/local/open-local.ts';
import { createVersion } from '#infra/plans/drafts.ts';
import { publishVersion } from '#infra/plans/publish-version.ts';
import { putPlan } from '#infra/plans/put-plan.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { putSeller } from '#infra/sellers/put-seller.ts';
import { createSubscription } from '#infra/subscriptions/create-subscription.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { createRoller } from '#infra/usage/roll-namespaces.ts';
import { storeWatermark } from '#infra/usage/watermark.ts';
import { mix } from './mix.ts';

/*
 * A month of many customers as a run of invoices finds it: each has a plan of five charges, the fee of the month that is over was paid in
 * advance, its usage was committed event by event, and its days are rolled.
 */

export const { namespace: NAMESPACE } = LOCAL_FEED;
const PLAN = 'pro';

/** Of each customer, spread over the month: at least 50 events are asked for. */
const REQUESTS_PER_CUSTOMER = 50;
const TRANSFERS_PER_CUSTOMER = 10;
const EVENTS_PER_CUSTOMER = REQUESTS_PER_CUSTOMER + TRANSFERS_PER_CUSTOMER;
const EVENTS_PER_COMMIT = 8_000;
const CUSTOMERS_PER_COMMIT = 500;

const MODELS = ['atlas', 'breeze', 'comet', 'delta'] as const;

const METERS: Readonly<Record<string, MeterDefinition>> = {
  tokens: { name: 'Tokens', eventType: 'llm.request', aggregation: 'sum', value: 'tokens' },
  requests: { name: 'Requests', eventType: 'llm.request', aggregation: 'count' },
  model_tokens: {
    ...{ name: 'Tokens by model', eventType: 'llm.request', aggregation: 'sum', value: 'tokens' },
    dimensions: { model: 'model' },
  },
  gigabytes: { name: 'Gigabytes', eventType: 'data.transfer', aggregation: 'sum', value: 'gigabytes' },
};

const CHARGES: readonly PlanCharge[] = [
  { key: 'fee', name: 'Base fee', timing: 'inAdvance', price: { model: 'flat', amount: '49' } },
  {
    ...{ key: 'tokens', name: 'Tokens', meter: 'tokens' },
    price: {
      model: 'graduated',
      tiers: [
        { upTo: '20000', unitPrice: '0.002' },
        { upTo: '80000', unitPrice: '0.0015' },
        { upTo: null, unitPrice: '0.001' },
      ],
    },
  },
  {
    ...{ key: 'requests', name: 'Requests', meter: 'requests' },
    price: { model: 'package', size: '20', price: '0.5' },
  },
  {
    ...{ key: 'models', name: 'Models', meter: 'model_tokens' },
    price: {
      model: 'matrix',
      dimensions: ['model'],
      cells: MODELS.map((model, place) => ({ match: { model }, unitPrice: `0.000${place + 1}` })),
    },
  },
  {
    ...{ key: 'gigabytes', name: 'Gigabytes', meter: 'gigabytes' },
    price: { model: 'perUnit', unitPrice: '0.09' },
  },
];

/** A calendar month of UTC that is over. */
export interface Month {
  readonly customers: number;
  readonly start: Instant;
  readonly end: Instant;
}

/** The last one that was over a day before `now`. */
export function lastMonth(now: Instant, customers: number): Month {
  const day = new Date((now - MICROS_PER_DAY) / MICROS_PER_MILLI);
  const firstOf = (month: number): Instant => Date.UTC(day.getUTCFullYear(), month) * MICROS_PER_MILLI;
  return { customers, start: firstOf(day.getUTCMonth() - 1), end: firstOf(day.getUTCMonth()) };
}

export const customerKey = (place: number): string => `customer-${String(place).padStart(6, '0')}`;

interface MadeEvent {
  readonly customer: number;
  readonly type: 'llm.request' | 'data.transfer';
  readonly time: Instant;
  readonly model: (typeof MODELS)[number];
  readonly tokens: number;
  /** In hundredths. */
  readonly gigabytes: number;
}

/** Lap by lap every customer has one event, in another order, and laps follow each other through the month. */
function* eventsOf({ customers, start, end }: Month): Generator<MadeEvent, void> {
  const lapMicros = Math.floor((end - start) / EVENTS_PER_CUSTOMER);
  for (let lap = 0; lap < EVENTS_PER_CUSTOMER; lap++)
    for (let turn = 0; turn < customers; turn++) {
      const customer = (turn * 7_919 + lap * 104_729) % customers;
      const bits = mix(lap * customers + customer);
      yield {
        customer,
        type: lap % (EVENTS_PER_CUSTOMER / TRANSFERS_PER_CUSTOMER) === 0 ? 'data.transfer' : 'llm.request',
        time: start + lap * lapMicros + Math.floor((turn / customers) * lapMicros),
        model: MODELS[bits % MODELS.length] ?? 'atlas',
        tokens: 1 + (bits % 4_001),
        gigabytes: 1 + (bits % 977),
      };
    }
}

/** Makes all of it below a directory, which nothing else is in. */
export async function makeMonth(directory: string, month: Month): Promise<void> {
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  try {
    await save(stores.database, month);
    await billFees(stores, month);
    await use(stores, month);
    await storeWatermark(stores, {
      ...{ feed: LOCAL_FEED.feed, worker: 'bench', namespace: NAMESPACE },
      latenessMicros: 0,
    });
    const { roll } = createRoller(stores.database);
    while ((await roll()) > 0);
    await maintainLocal(stores, systemScheduler.now());
  } finally {
    await stores.close();
  }
}

async function save(database: Database, month: Month): Promise<void> {
  const now = systemScheduler.now();
  const transact = (work: (tx: Transaction) => Promise<unknown>): Promise<unknown> => database.transact(work);
  for (const [key, definition] of Object.entries(METERS))
    await putMeter(database, { namespace: NAMESPACE, key, definition });
  const seller = { name: 'Bench Ltd', taxRates: [{ code: 'vat', jurisdiction: 'GB', rate: '20' }] };
  await transact((tx) => putSeller(tx, { namespace: NAMESPACE, key: 'bench', seller, now }));
  await transact((tx) => putPlan(tx, { namespace: NAMESPACE, key: PLAN, name: 'Pro', now }));
  const definition = { currencies: ['EUR'], phases: [{ key: 'main', charges: CHARGES }] };
  await transact((tx) => createVersion(tx, { namespace: NAMESPACE, plan: PLAN, definition, now }));
  await transact((tx) => publishVersion(tx, { namespace: NAMESPACE, plan: PLAN, version: 1, now }));
  const places = Array.from({ length: month.customers }, (_, place) => place);
  for (let at = 0; at < places.length; at += CUSTOMERS_PER_COMMIT) {
    const some = places.slice(at, at + CUSTOMERS_PER_COMMIT);
    await transact((tx) => Promise.all(some.map((place) => putCustomer(tx, customerAt(place, now)))));
    await transact((tx) =>
      Promise.all(some.map((place) => createSubscription(tx, subscriptionAt(place, month, now)))),
    );
  }
}

const customerAt = (place: number, now: Instant) => ({
  namespace: NAMESPACE,
  key: customerKey(place),
  customer: {
    name: `Customer ${place} of the Bench`,
    subjects: [customerKey(place)],
    currency: 'EUR',
    address: { line1: `${place} High Street`, city: 'London', postalCode: 'N1 1AA', country: 'GB' },
  },
  now,
});

const subscriptionAt = (place: number, month: Month, now: Instant) => ({
  namespace: NAMESPACE,
  customer: customerKey(place),
  id: `00000000-0000-7000-8000-${String(place).padStart(12, '0')}`,
  request: { plan: PLAN, startAt: month.start, anchor: 'start' as const },
  now,
});

/** What was due as the month began, so that the run that is measured is not the first one. */
async function billFees(stores: LocalStores, month: Month): Promise<void> {
  const now = systemScheduler.now();
  const asked = { namespace: NAMESPACE, asOf: month.start, now };
  const { result } = await stores.database.transact((tx) => createInvoiceRun(tx, asked));
  await workOnRun(stores, {
    ...{ namespace: NAMESPACE, run: result.id, worker: 'bench', scheduler: systemScheduler },
  });
}

async function use({ database, warehouse }: LocalStores, month: Month): Promise<void> {
  const context = localCommitContext(database, systemScheduler.now);
  const rule = { kind: 'fixed', namespace: NAMESPACE } as const;
  let seq = 0;
  const commit = async (made: readonly MadeEvent[]): Promise<void> => {
    const deliveries = made.map((event) => parseDelivery(rule, messageOf(event, seq++)));
    const committed = await commitDeliveries(context, deliveries);
    if (committed.classified.some(({ outcome }) => outcome !== 'accepted') || committed.refused.length > 0)
      throw new Error('an event was not accepted');
    await appendEventRows({ database, warehouse }, eventRowsOf(committed));
  };
  let batch: MadeEvent[] = [];
  for (const event of eventsOf(month)) {
    if (batch.push(event) < EVENTS_PER_COMMIT) continue;
    await commit(batch);
    batch = [];
  }
  if (batch.length > 0) await commit(batch);
}

function messageOf({ customer, type, time, model, tokens, gigabytes }: MadeEvent, seq: number) {
  const data = type === 'llm.request' ? { model, tokens } : { gigabytes: gigabytes / 100 };
  const event = {
    specversion: '1.0',
    id: `${mix(seq).toString(16)}-${seq}`,
    source: 'urn:bench',
    type,
    subject: customerKey(customer),
    time: formatInstant(time),
    data,
  };
  return {
    id: `m-${seq}`,
    data: Buffer.from(JSON.stringify(event)),
    attributes: {},
    publishTime: time + MICROS_PER_SECOND,
    attempt: 1,
    ackId: `a-${seq}`,
  };
}

interface Used {
  tokens: number;
  requests: number;
  readonly models: Map<string, number>;
  /** In hundredths. */
  gigabytes: number;
}

/**
 * What each customer's invoice comes to, in cents by its key, in whole numbers and by nothing that the product is made of: one millionth of a cent is
 * the unit, and halves are rounded up.
 */
export function expectedTotals(month: Month): Map<string, number> {
  const used = Array.from({ length: month.customers }, (): Used => ({
    tokens: 0,
    requests: 0,
    models: new Map(),
    gigabytes: 0,
  }));
  for (const { customer, type, model, tokens, gigabytes } of eventsOf(month)) {
    const own = used[customer]!;
    if (type === 'data.transfer') {
      own.gigabytes += gigabytes;
      continue;
    }
    own.tokens += tokens;
    own.requests++;
    own.models.set(model, (own.models.get(model) ?? 0) + tokens);
  }
  return new Map(used.map((each, place) => [customerKey(place), totalOf(each)]));
}

const MICROCENTS_PER_CENT = 1_000_000;
const cents = (microcents: number): number => Math.floor(microcents / MICROCENTS_PER_CENT + 0.5);

function totalOf({ tokens, requests, models, gigabytes }: Used): number {
  const between = (from: number, to: number): number => Math.max(Math.min(tokens, to) - from, 0);
  const graduated =
    between(0, 20_000) * 200_000 + between(20_000, 80_000) * 150_000 + between(80_000, Infinity) * 100_000;
  const byModel = MODELS.map((model, place) => cents((models.get(model) ?? 0) * 10_000 * (place + 1)));
  const net =
    4_900 +
    cents(graduated) +
    Math.ceil(requests / 20) * 50 +
    byModel.reduce((sum, each) => sum + each, 0) +
    cents(gigabytes * 90_000);
  return net + cents(net * 200_000);
}
