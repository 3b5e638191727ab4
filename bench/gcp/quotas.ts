import { Spanner, type Database as SpannerClient } from '@google-cloud/spanner';
import { checkEntitlements } from '#infra/entitlements/check-entitlements.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { CUSTOMERS, FEATURE, measureReservationsOn, NAMESPACE } from '../reservations.ts';
import { bareDatabase } from './bare-clients.ts';
import type { FreshCloud } from './fresh-cloud.ts';

/*
 * Quota checks and reservations on Spanner's emulator, beside the least that does the same with its client: a check reads the customer's
 * limits and then their rows, in one snapshot; a reservation reads two limit rows and writes both and a hold, in a transaction of its own.
 */

const CALLERS = 16;
const LIMITS_PER_CUSTOMER = 2;
const DDL = [
  'CREATE TABLE limits (customer STRING(MAX) NOT NULL, keys ARRAY<STRING(MAX)>) PRIMARY KEY (customer)',
  'CREATE TABLE limit_row (customer STRING(MAX) NOT NULL, key STRING(MAX) NOT NULL, used NUMERIC, held NUMERIC, amount NUMERIC) PRIMARY KEY (customer, key)',
  'CREATE TABLE hold (id STRING(MAX) NOT NULL, customer STRING(MAX), amount NUMERIC) PRIMARY KEY (id)',
];

export interface QuotaRounds {
  readonly name: string;
  /** A second, a round each. */
  readonly ours: readonly number[];
  readonly bare: readonly number[];
}

export async function measureQuotas(
  { stores: { database }, settings }: FreshCloud,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<QuotaRounds[]> {
  const { database: client, close } = await bareDatabase(settings, 'bare-quotas', DDL);
  try {
    await prepareBare(client);
    const { shared, single } = await measureReservationsOn(database, { rounds, seconds });
    const [checks, bareChecks, bareReservations]: [number[], number[], number[]] = [[], [], []];
    const check = (place: number) =>
      checkEntitlements(
        database,
        NAMESPACE,
        [{ customer: customerAt(place), feature: FEATURE, amount: '1' }],
        systemScheduler.now(),
      );
    for (let round = 0; round < rounds; round++) {
      checks.push(await rateOf(check, seconds));
      bareChecks.push(await rateOf((place) => checkBare(client, customerAt(place)), seconds));
      bareReservations.push(
        await rateOf(
          oneAtATime((place) => reserveBare(client, customerAt(place))),
          seconds,
        ),
      );
    }
    return [
      { name: 'checks', ours: checks, bare: bareChecks },
      { name: 'reservations, a transaction each', ours: single, bare: bareReservations },
      { name: 'reservations, sharing commits', ours: shared, bare: bareReservations },
    ];
  } finally {
    await close();
  }
}

const customerAt = (place: number): string => `c-${place % CUSTOMERS}`;

/** Calls a second of callers who call again as soon as they are answered. */
async function rateOf(call: (place: number) => Promise<unknown>, seconds: number): Promise<number> {
  const began = performance.now();
  const end = began + seconds * 1_000;
  let calls = 0;
  const caller = async (place: number): Promise<void> => {
    while (performance.now() < end) {
      await call(place);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, place) => caller(place)));
  return (calls * 1_000) / (performance.now() - began);
}

/** The emulator has one read-write transaction at a time, and callers who do not wait for their turn only abort each other. */
function oneAtATime(call: (place: number) => Promise<unknown>): (place: number) => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  return (place) => (last = last.then(() => call(place)));
}

async function prepareBare(client: SpannerClient): Promise<void> {
  const customers = Array.from({ length: CUSTOMERS }, (_, place) => customerAt(place));
  const keys = Array.from({ length: LIMITS_PER_CUSTOMER }, (_, place) => `limit-${place}`);
  await client.table('limits').upsert(customers.map((customer) => ({ customer, keys })));
  const zero = Spanner.numeric('0');
  const amount = Spanner.numeric('1000000000');
  await client
    .table('limit_row')
    .upsert(
      customers.flatMap((customer) => keys.map((key) => ({ customer, key, used: zero, held: zero, amount }))),
    );
}

interface LimitRow {
  readonly key: string;
  readonly used: { readonly value: string };
  readonly held: { readonly value: string };
  readonly amount: { readonly value: string };
}

const LIMIT_COLUMNS = ['key', 'used', 'held', 'amount'];
const isWithin = ({ used, held, amount }: LimitRow): boolean =>
  BigInt(used.value) + BigInt(held.value) < BigInt(amount.value);

async function checkBare(client: SpannerClient, customer: string): Promise<void> {
  const [snapshot] = await client.getSnapshot();
  try {
    const [limits] = await snapshot.read('limits', { keys: [customer], columns: ['keys'], json: true });
    const { keys } = limits[0] as unknown as { keys: string[] };
    const [rows] = await snapshot.read('limit_row', {
      keys: keys.map((key) => [customer, key]),
      columns: LIMIT_COLUMNS,
      json: true,
    });
    if (!(rows as unknown as LimitRow[]).every(isWithin)) throw new Error('a limit is exceeded');
  } finally {
    snapshot.end();
  }
}

let holds = 0;

async function reserveBare(client: SpannerClient, customer: string): Promise<void> {
  await client.runTransactionAsync(async (transaction) => {
    const keys = Array.from({ length: LIMITS_PER_CUSTOMER }, (_, place) => [customer, `limit-${place}`]);
    const [read] = await transaction.read('limit_row', { keys, columns: LIMIT_COLUMNS, json: true });
    const rows = read as unknown as LimitRow[];
    if (!rows.every(isWithin)) throw new Error('a limit is exceeded');
    transaction.update(
      'limit_row',
      rows.map(({ key, held }) => ({
        customer,
        key,
        held: Spanner.numeric(String(BigInt(held.value) + 1n)),
      })),
    );
    transaction.insert('hold', { id: `h-${holds++}`, customer, amount: Spanner.numeric('1') });
    await transaction.commit();
  });
}
