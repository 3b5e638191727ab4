import { join } from 'node:path';
import { putFeature } from '#infra/catalogue/features.ts';
import { saveMeter } from '#infra/catalogue/put-meter.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import type { Database } from '#infra/database/database.ts';
import { openSqlite } from '#infra/database/sqlite/open.ts';
import { createReservations } from '#infra/entitlements/create-reservations.ts';
import { grantReservations } from '#infra/entitlements/grant-reservations.ts';
import { putLimits } from '#infra/entitlements/put-limits.ts';
import { checkReservation, type ReservationRequest } from '#infra/entitlements/reservation.ts';
import { holdCount, limitRow } from '#infra/entitlements/tables.ts';
import { LOCAL_TABLES } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';

/*
 * Durable reservations per second on the embedded store: 64 callers in this process who ask again as soon as they are answered, sharing
 * commits, beside the same calls with a transaction each.
 */

export const NAMESPACE = 'bench';
export const FEATURE = 'tokens';
const CALLERS = 64;
/** Callers use the quotas of some customers, as those of one API do. */
export const CUSTOMERS = 8;

export interface ReservationRounds {
  /** Reservations per second, a round each. */
  readonly shared: readonly number[];
  readonly single: readonly number[];
}

/** Runs rounds of both in turn, after a warm-up, and checks that everything that was granted is held. */
export async function measureReservations(
  directory: string,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<ReservationRounds> {
  const database = openSqlite({
    path: join(directory, 'bench.db'),
    tables: LOCAL_TABLES,
    clock: systemScheduler.now,
  });
  try {
    return await measureReservationsOn(database, { rounds, seconds });
  } finally {
    await database.close();
  }
}

/** The same on a database that is empty. */
export async function measureReservationsOn(
  database: Database,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<ReservationRounds> {
  [granted, asked] = [0, 0];
  await prepareLimits(database);
  const reserve = { shared: sharing(database), single: aloneEach(database) };
  const [shared, single]: [number[], number[]] = [[], []];
  await run(reserve.shared, seconds / 4);
  for (let round = 0; round < rounds; round++) {
    shared.push((await run(reserve.shared, seconds)) / seconds);
    single.push((await run(reserve.single, seconds)) / seconds);
  }
  await check(database);
  return { shared, single };
}

/** Customers `c-0` to `c-7` with a monthly and a rolling hard limit on one feature. */
export async function prepareLimits(database: Database): Promise<void> {
  const now = systemScheduler.now();
  const definition = { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'tokens' } as const;
  await database.transact((tx) => saveMeter(tx, { namespace: NAMESPACE, key: FEATURE, definition }));
  await database.transact((tx) =>
    putFeature(tx, { namespace: NAMESPACE, key: FEATURE, name: 'Tokens', meter: FEATURE, now }),
  );
  const limits = [
    { key: 'monthly', amount: '1000000000', period: { every: 'P1M' }, overage: 'hard' },
    { key: 'recent', amount: '100000000', period: { rolling: 'PT5H' }, overage: 'hard' },
  ] as const;
  for (let i = 0; i < CUSTOMERS; i++) {
    const named = {
      namespace: NAMESPACE,
      key: `c-${i}`,
      customer: { name: `c-${i}`, subjects: [`s-${i}`] },
      now,
    };
    await database.transact((tx) => putCustomer(tx, named));
    await database.transact((tx) =>
      putLimits(tx, { namespace: NAMESPACE, customer: `c-${i}`, feature: FEATURE, limits, now }),
    );
  }
}

type Reserve = (request: ReservationRequest) => Promise<boolean>;

function sharing(database: Database): Reserve {
  const reservations = createReservations({ database, clock: systemScheduler.now });
  return async (request) => (await reservations.reserve(request)).outcome === 'granted';
}

const aloneEach =
  (database: Database): Reserve =>
  async (request) => {
    const checked = checkReservation(request);
    const now = systemScheduler.now();
    const { result } = await database.transact((tx) => grantReservations(tx, [checked], now));
    return result[0]?.outcome === 'granted';
  };

let granted = 0;
let asked = 0;

/** Reservations granted within the time. */
async function run(reserve: Reserve, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  const before = granted;
  const call = async (customer: string): Promise<void> => {
    while (performance.now() < end) {
      const event = { source: 'urn:bench', id: `e-${asked++}` };
      const request = {
        namespace: NAMESPACE,
        customer,
        feature: FEATURE,
        amount: '1',
        ttlSeconds: 3_600,
        event,
      };
      if (await reserve(request)) granted++;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => call(`c-${index % CUSTOMERS}`)));
  return granted - before;
}

async function check(database: Database): Promise<void> {
  let [held, holds] = [0, 0];
  for await (const row of database.scan(limitRow, { prefix: [NAMESPACE] }))
    if (row.limitKey === 'monthly') held += Number(row.held);
  for await (const row of database.scan(holdCount, { prefix: [NAMESPACE] })) holds += row.holds;
  if (granted !== asked || held !== granted || holds !== granted)
    throw new Error(`${asked} asked, ${granted} granted, ${holds} holds of ${held} in all`);
}
