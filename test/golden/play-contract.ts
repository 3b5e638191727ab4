import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import type { Transaction } from '#infra/database/database.ts';
import { createInvoice } from '#infra/invoicing/create-invoice.ts';
import { createInvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { issueInvoice, prepareIssue } from '#infra/invoicing/issue-invoices.ts';
import { readInputs, readInvoice, type StoredInvoice } from '#infra/invoicing/read-invoices.ts';
import { invoice } from '#infra/invoicing/tables.ts';
import { workOnRun } from '#infra/invoicing/work-on-run.ts';
import { openLocal, type LocalStores } from '#infra/local/open-local.ts';
import { createVersion } from '#infra/plans/drafts.ts';
import { publishVersion } from '#infra/plans/publish-version.ts';
import { putPlan } from '#infra/plans/put-plan.ts';
import { putSeller } from '#infra/sellers/put-seller.ts';
import { changeSubscription } from '#infra/subscriptions/change-subscription.ts';
import { createSubscription } from '#infra/subscriptions/create-subscription.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { createRoller } from '#infra/usage/roll-namespaces.ts';
import { DEFAULT_LATENESS_MICROS, storeWatermark } from '#infra/usage/watermark.ts';
import { delivery, FEED, instant, NAMESPACE } from '#test/infra/usage/usage-fixture.ts';
import { inLocalDirectory } from '#test/support/local-stores.ts';
import type { GoldenContract, Step } from './golden-contract.ts';

/** An invoice with the text of what it is a function of. */
export interface PlayedInvoice extends StoredInvoice {
  readonly inputsText: string;
}

export interface Played {
  /** In the order in which they were made. */
  readonly invoices: readonly PlayedInvoice[];
  /** By their ids, what subscriptions are called in the contract. */
  readonly subscriptions: ReadonlyMap<string, string>;
}

/**
 * Plays a contract on the embedded stores, with a clock that stands where its steps say: usage is committed and appended, the days that are complete are
 * rolled, and invoices are made and issued as a run makes them. The same contract gives the same invoices, but for the ids of those written by hand.
 */
export async function playContract(contract: GoldenContract): Promise<Played> {
  let played: Played | undefined;
  await inLocalDirectory(async (directory, cleanup) => {
    const clock = { now: instant(contract.startsAt) };
    const stores = await openLocal({ directory, clock: () => clock.now });
    cleanup.defer(() => stores.close());
    const stage = stageOn(stores, clock);
    await save(stage, contract);
    for (const steps of inBatches(contract.steps)) await take(stage, steps);
    const names = new Map([...stage.subscriptions].map(([name, id]) => [id, name]));
    played = { invoices: await readAll(stores), subscriptions: names };
  });
  if (played === undefined) throw new Error(`${contract.title} was not played`);
  return played;
}

/** Where a contract is played. */
export interface Stage {
  readonly stores: Pick<LocalStores, 'database' | 'warehouse'>;
  readonly clock: { now: Instant };
  readonly roll: () => Promise<number>;
  /** Ids by the names that the contract has for them. */
  readonly subscriptions: Map<string, string>;
  ids: number;
  events: number;
}

export const stageOn = (stores: Stage['stores'], clock: Stage['clock']): Stage => ({
  stores,
  clock,
  roll: createRoller(stores.database).roll,
  subscriptions: new Map(),
  ids: 0,
  events: 0,
});

const newId = (stage: Stage): string => `00000000-0000-7000-8000-${String(++stage.ids).padStart(12, '0')}`;

const transact = async <Result>(
  { stores: { database } }: Stage,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> => (await database.transact(work)).result;

async function save(stage: Stage, contract: GoldenContract): Promise<void> {
  const { meters = {}, sellers = {}, customers, plans = {} } = contract;
  const { now } = stage.clock;
  for (const [key, definition] of Object.entries(meters))
    await putMeter(stage.stores.database, { namespace: NAMESPACE, key, definition });
  for (const [key, seller] of Object.entries(sellers))
    await transact(stage, (tx) => putSeller(tx, { namespace: NAMESPACE, key, seller, now }));
  for (const [key, customer] of Object.entries(customers))
    await transact(stage, (tx) => putCustomer(tx, { namespace: NAMESPACE, key, customer, now }));
  for (const [plan, versions] of Object.entries(plans)) {
    await transact(stage, (tx) => putPlan(tx, { namespace: NAMESPACE, key: plan, name: plan, now }));
    for (const definition of versions) {
      const place = { namespace: NAMESPACE, plan, now };
      const { version } = await transact(stage, (tx) => createVersion(tx, { ...place, definition }));
      await transact(stage, (tx) => publishVersion(tx, { ...place, version }));
    }
  }
}

/** Events that nothing stands between come in one batch, as they do from a topic. */
export function inBatches(steps: readonly Step[]): Step[][] {
  const batches: Step[][] = [];
  for (const step of steps) {
    const last = batches.at(-1);
    if (step.do === 'use' && last?.[0]?.do === 'use' && last.length < EVENTS_PER_BATCH) last.push(step);
    else batches.push([step]);
  }
  return batches;
}

const EVENTS_PER_BATCH = 500;

async function take(stage: Stage, steps: readonly Step[]): Promise<void> {
  const last = steps.at(-1);
  const [first] = steps;
  if (first === undefined || last === undefined) return;
  const at = instant(last.at);
  if (at < stage.clock.now) throw new RangeError(`the step at ${last.at} is not in its order`);
  stage.clock.now = at;
  if (first.do === 'use') return commit(stage, steps);
  return takeOne(stage, first);
}

async function takeOne(stage: Stage, step: Step): Promise<void> {
  const place = { namespace: NAMESPACE, now: stage.clock.now };
  switch (step.do) {
    case 'use':
      return commit(stage, [step]);
    case 'subscribe': {
      const { customer, request } = step;
      const id = newId(stage);
      stage.subscriptions.set(step.as, id);
      await transact(stage, (tx) => createSubscription(tx, { ...place, customer, id, request }));
      return;
    }
    case 'change': {
      const id = stage.subscriptions.get(step.subscription);
      if (id === undefined) throw new RangeError(`there is no subscription ${step.subscription}`);
      await transact(stage, (tx) => changeSubscription(tx, { ...place, id, change: step.change }));
      return;
    }
    case 'run':
      return runInvoices(stage);
    case 'write': {
      const { customer, lines } = step;
      const row = await transact(stage, (tx) => createInvoice(tx, { ...place, customer, lines }));
      const [prepared] = await prepareIssue(stage.stores, [row]);
      await transact(stage, (tx) => issueInvoice(tx, { ...place, id: row.id }, prepared));
    }
  }
}

/** Events as a pipeline takes them: with all that they count, and then into the warehouse. */
export async function commit(stage: Stage, steps: readonly Step[]): Promise<void> {
  const { stores, clock } = stage;
  const { database, warehouse } = stores;
  const deliveries = steps.flatMap((step) => {
    if (step.do !== 'use') return [];
    const { subject, type, at, data } = step;
    const publishTime = instant(at) + MICROS_PER_SECOND;
    return [delivery({ id: `event-${++stage.events}`, subject, type, time: at, publishTime, data })];
  });
  const catalogues = createCatalogues(database);
  const context = { database, catalogues, feed: FEED, slot: 0, clock: () => clock.now };
  const committed = await commitDeliveries(context, deliveries);
  const accepted = committed.classified.filter(({ outcome }) => outcome === 'accepted');
  if (accepted.length !== deliveries.length)
    throw new Error(`${accepted.length} of ${deliveries.length} events were accepted`);
  await appendEventRows({ database, warehouse }, eventRowsOf(committed));
}

/** Everything that was published is committed by now, which the watermark says; then the days that are complete are rolled. */
export async function catchUp({ stores: { database }, clock, roll }: Stage): Promise<void> {
  const topic = { oldestUnacknowledged: () => Promise.resolve({ at: clock.now }) };
  const feed = {
    feed: FEED,
    worker: 'pipeline',
    namespace: NAMESPACE,
    latenessMicros: DEFAULT_LATENESS_MICROS,
  };
  await storeWatermark({ database, topic }, feed);
  while ((await roll()) > 0);
}

async function runInvoices(stage: Stage): Promise<void> {
  const { stores, clock } = stage;
  await catchUp(stage);
  const { id } = await transact(stage, (tx) =>
    createInvoiceRun(tx, { namespace: NAMESPACE, now: clock.now }),
  );
  await workOnRun(stores, {
    namespace: NAMESPACE,
    run: id,
    worker: 'golden',
    scheduler: { now: () => clock.now, sleep: untilAborted },
    newId: () => newId(stage),
  });
}

/** Time does not pass: whoever waits in a run waits for the end of its work. */
const untilAborted = (_: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal === undefined || signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

async function readAll({ database }: LocalStores): Promise<PlayedInvoice[]> {
  const rows = await Array.fromAsync(database.scan(invoice, { prefix: [NAMESPACE] }));
  const ordered = rows.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  return Promise.all(
    ordered.map(async ({ id }) => {
      const place = { namespace: NAMESPACE, id };
      const { text } = await readInputs(database, place);
      return { ...(await readInvoice(database, place)), inputsText: text };
    }),
  );
}
