import { expect } from 'chai';
import { floorToMinute, MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { StoreError } from '#infra/database/errors.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import { CUSTOMER_TABLES } from '#infra/customers/tables.ts';
import { ENTITLEMENT_TABLES } from '#infra/entitlements/tables.ts';
import { createVersion } from '#infra/plans/drafts.ts';
import { publishVersion } from '#infra/plans/publish-version.ts';
import { putPlan } from '#infra/plans/put-plan.ts';
import { PLAN_TABLES } from '#infra/plans/tables.ts';
import { RuleError } from '#infra/rule-error.ts';
import { SELLER_TABLES } from '#infra/sellers/tables.ts';
import { changeSubscription, type ChangeRequest } from '#infra/subscriptions/change-subscription.ts';
import { createSubscription, type SubscriptionRequest } from '#infra/subscriptions/create-subscription.ts';
import { migrateSubscriptions, type Migration } from '#infra/subscriptions/migrate-subscriptions.ts';
import { existingSubscription, storedSubscription } from '#infra/subscriptions/read-subscriptions.ts';
import {
  subscription as subscriptionTable,
  SUBSCRIPTION_TABLES,
  versionSubscription,
} from '#infra/subscriptions/tables.ts';
import { versionsAhead } from '#infra/subscriptions/write-subscription.ts';
import { USAGE_TABLES } from '#infra/usage/tables.ts';
import { VERSIONS } from '#test/domain/subscriptions/arbitrary-subscription.ts';
import { rejectionOf } from '#test/support/both-drivers.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

export const TABLES = [
  ...CATALOGUE_TABLES,
  ...CUSTOMER_TABLES,
  ...ENTITLEMENT_TABLES,
  ...PLAN_TABLES,
  ...SELLER_TABLES,
  ...SUBSCRIPTION_TABLES,
  ...USAGE_TABLES,
];
export const namespace = 'default';
export const NOW = floorToMinute(SIMULATION_START);
export const LATER = NOW + 40 * MICROS_PER_DAY;

export const run = async <Result>(
  database: Database,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> => (await database.transact(work)).result;

/** Meters, the plans of the domain's tests, published, and a customer. */
export async function furnish(database: Database): Promise<void> {
  for (const key of ['tokens', 'storage'])
    await putMeter(database, {
      namespace,
      key,
      definition: {
        name: key,
        eventType: 'use',
        aggregation: 'sum',
        value: key,
        dimensions: { model: 'model' },
      },
    });
  for (const { plan, version, state: _, ...definition } of VERSIONS) {
    await run(database, (tx) => putPlan(tx, { namespace, key: plan, name: plan, now: NOW }));
    await run(database, (tx) => createVersion(tx, { namespace, plan, definition, now: NOW }));
    await run(database, (tx) => publishVersion(tx, { namespace, plan, version, now: NOW }));
  }
  await save(database, 'acme', { currency: 'USD', timezone: 'Europe/Berlin' });
}

export const save = (database: Database, key: string, said: object = {}) =>
  run(database, (tx) => putCustomer(tx, { namespace, key, customer: { name: key, ...said }, now: NOW }));

export const idOf = (number: number): string => `0190aaaa-0000-7000-8000-${String(number).padStart(12, '0')}`;

export const create = (
  database: Database,
  request: Partial<SubscriptionRequest> = {},
  { customer = 'acme', number = 1, now = NOW }: { customer?: string; number?: number; now?: Instant } = {},
) =>
  run(database, (tx) =>
    createSubscription(tx, {
      namespace,
      customer,
      id: idOf(number),
      request: { plan: 'max', ...request },
      now,
    }),
  );

export const change = (database: Database, asked: ChangeRequest, now: Instant = LATER, number = 1) =>
  run(database, (tx) => changeSubscription(tx, { namespace, id: idOf(number), change: asked, now }));

export const migrate = (database: Database, said: Partial<Migration> = {}) =>
  run(database, (tx) =>
    migrateSubscriptions(tx, { namespace, plan: 'pro', version: 2, from: 1, at: 'now', now: LATER, ...said }),
  );

export const stored = (database: Database, number = 1) =>
  existingSubscription(database, { namespace, id: idOf(number) });

export async function refused(promise: Promise<unknown>): Promise<[string, string[]]> {
  const error = await rejectionOf(promise);
  expect(error).to.be.instanceOf(RuleError);
  const { code, violations } = error as RuleError;
  return [code, violations.map((fault) => `${fault.pointer} ${fault.code}`)];
}

export const idle = () => ({
  point: () => Promise.resolve(),
  random: seededRandom(1).next,
  now: () => SIMULATION_START,
});

/** Tries again while the store fails, as a caller would who does not know whether it was done. */
export async function persist(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const error = await rejectionOf(work());
    if (error === undefined) return;
    expect(error).to.be.instanceOf(StoreError);
  }
}

/** The rows that find subscriptions by version are those that follow from them. */
export async function checkVersionRows(database: Database): Promise<void> {
  const rows = await Array.fromAsync(database.scan(versionSubscription, { prefix: [namespace] }));
  const subscriptions = await Array.fromAsync(
    database.scan(subscriptionTable, { prefix: [namespace] }),
    storedSubscription,
  );
  const expected = subscriptions.flatMap((each) =>
    versionsAhead(each, each.updatedAt).map(({ plan, version }) => `${plan} ${version} ${each.id}`),
  );
  expect(rows.map((row) => `${row.plan} ${row.version} ${row.subscription}`)).to.have.members(expected);
}
