import type { LimitDefinition } from '#domain/entitlements/limit.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { putFeature } from '#infra/catalogue/features.ts';
import { saveMeter } from '#infra/catalogue/put-meter.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import { CUSTOMER_TABLES } from '#infra/customers/tables.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import {
  checkEntitlements,
  type EntitlementAnswer,
  type EntitlementCheck,
} from '#infra/entitlements/check-entitlements.ts';
import { createReservations } from '#infra/entitlements/create-reservations.ts';
import type { ReservationOutcome } from '#infra/entitlements/grant-reservations.ts';
import { putLimits } from '#infra/entitlements/put-limits.ts';
import type { Reservation } from '#infra/entitlements/reservation.ts';
import { ENTITLEMENT_TABLES, limitRow } from '#infra/entitlements/tables.ts';
import { PLAN_TABLES } from '#infra/plans/tables.ts';
import { commitDeliveries, type Committed } from '#infra/usage/commit.ts';
import { USAGE_TABLES, type Row } from '#infra/usage/tables.ts';
import { delivery, FEED, NAMESPACE, NOON, SOURCE, type Said } from '#test/infra/usage/usage-fixture.ts';

export const TABLES = [
  ...CATALOGUE_TABLES,
  ...CUSTOMER_TABLES,
  ...ENTITLEMENT_TABLES,
  ...PLAN_TABLES,
  ...USAGE_TABLES,
];

export const run = async <Result>(
  database: Database,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> => (await database.transact(work)).result;

const METERS = {
  tokens: { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'v' },
  calls: { name: 'Calls', eventType: 'use', aggregation: 'count' },
  users: { name: 'Users', eventType: 'login', aggregation: 'unique', value: 'u' },
} as const;

/** Meters with a feature each, `seats` without one, and two customers: acme with two subjects, bolt with one. */
export async function prepare(database: Database): Promise<void> {
  for (const [key, definition] of Object.entries(METERS)) {
    await run(database, (tx) => saveMeter(tx, { namespace: NAMESPACE, key, definition }));
    await run(database, (tx) =>
      putFeature(tx, { namespace: NAMESPACE, key, name: key, meter: key, now: NOON }),
    );
  }
  await run(database, (tx) =>
    putFeature(tx, { namespace: NAMESPACE, key: 'seats', name: 'Seats', now: NOON }),
  );
  await customer(database, 'acme', ['acme-1', 'acme-2']);
  await customer(database, 'bolt', ['bolt-1']);
}

export const customer = (database: Database, key: string, subjects: readonly string[], now = NOON) =>
  run(database, (tx) =>
    putCustomer(tx, { namespace: NAMESPACE, key, customer: { name: key, subjects }, now }),
  );

export const monthly = (amount: string, said: Partial<LimitDefinition> = {}): LimitDefinition => ({
  key: 'monthly',
  amount,
  period: { every: 'P1M' },
  overage: 'hard',
  ...said,
});

export const limit = (
  database: Database,
  limits: readonly LimitDefinition[],
  { customer: of = 'acme', feature = 'tokens', now = NOON } = {},
) => run(database, (tx) => putLimits(tx, { namespace: NAMESPACE, customer: of, feature, limits, now }));

/** Commits an event of acme-1 with the value 1, half an hour ago, unless it says otherwise. */
export function use(database: Database, ...said: Said[]): Promise<Committed> {
  const context = {
    database,
    catalogues: createCatalogues(database),
    feed: FEED,
    slot: 0,
    clock: () => NOON,
  };
  return commitDeliveries(
    context,
    said.map((each) => delivery({ subject: 'acme-1', ...each })),
  );
}

export const check = async (
  database: Database,
  said: Partial<EntitlementCheck> = {},
  now = NOON,
): Promise<EntitlementAnswer> => {
  const [answer] = await checkEntitlements(
    database,
    NAMESPACE,
    [{ customer: 'acme', feature: 'tokens', ...said }],
    now,
  );
  if (answer === undefined) throw new Error('a check has an answer');
  return answer;
};

export interface Asked {
  readonly id?: string;
  readonly amount?: string;
  readonly customer?: string;
  readonly feature?: string;
  readonly ttlSeconds?: number;
  readonly now?: number;
}

export const reserve = (
  database: Database,
  {
    id = 'r-1',
    amount = '1',
    customer: of = 'acme',
    feature = 'tokens',
    ttlSeconds = 60,
    now = NOON,
  }: Asked = {},
): Promise<ReservationOutcome> =>
  createReservations({ database, clock: () => now }).reserve({
    namespace: NAMESPACE,
    customer: of,
    feature,
    amount,
    ttlSeconds,
    event: { source: SOURCE, id },
  });

/** The reservation that must be granted. */
export async function granted(database: Database, asked: Asked = {}): Promise<Reservation> {
  const outcome = await reserve(database, asked);
  if (outcome.outcome !== 'granted') throw new Error(`not granted: ${outcome.outcome}`);
  return outcome.reservation;
}

/** The stored rows of a limit, oldest period first. */
export const rowsOf = async (
  database: Database,
  { customer: of = 'acme', feature = 'tokens', key = 'monthly' } = {},
): Promise<Row<typeof limitRow>[]> =>
  Array.fromAsync(database.scan(limitRow, { prefix: [NAMESPACE, of, feature, key] }));
