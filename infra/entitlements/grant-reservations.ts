import { entitle, type Entitlement } from '#domain/entitlements/entitlement.ts';
import type { Instant } from '#domain/instant.ts';
import { OPEN_HOLDS_MAX } from '#domain/limits.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { compare } from '#domain/metering/quantity.ts';
import { feature as featureTable } from '#infra/catalogue/tables.ts';
import { customer as customerTable } from '#infra/customers/tables.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { event } from '#infra/usage/tables.ts';
import { generationName, readActiveGenerations } from './active-generations.ts';
import { decidingPlace, hardLimitsOf, type HardLimit } from './hard-limits.ts';
import {
  featureName,
  isHeldRow,
  readHoldCounts,
  readHolds,
  type FeatureOfCustomer,
  type Hold,
  type HoldCounts,
} from './hold-rows.ts';
import { limitStateOf } from './limit-state.ts';
import { addHeld, openLimitRows, roomOf, writeLimitRows, type OpenLimitRow } from './limit-rows.ts';
import { reservationOf, type CheckedReservation, type Reservation } from './reservation.ts';
import { customerLimits, hold } from './tables.ts';

/**
 * What becomes of a request for a reservation. `repeated`: the same event and amount had been granted before, and it is that answer again.
 * `quota_exceeded` comes with the hard limits as they stood in the transaction that refused.
 */
export type ReservationOutcome =
  | { readonly outcome: 'granted'; readonly reservation: Reservation; readonly repeated: boolean }
  | { readonly outcome: 'quota_exceeded'; readonly entitlement: Entitlement }
  | { readonly outcome: 'event_already_counted' | 'reservation_conflict' | 'too_many_holds' }
  | { readonly outcome: Unknown };

type Unknown = 'customer_not_found' | 'customer_archived' | 'feature_not_found' | 'feature_archived';

/** What a transaction of grants knows, and changes as it grants. */
interface Grants {
  readonly now: Instant;
  readonly holds: Map<Hash128, Hold>;
  readonly counted: ReadonlySet<Hash128>;
  /** By customer and feature: why nothing can be reserved; absent where both are there. */
  readonly unknown: ReadonlyMap<string, Unknown>;
  readonly limits: ReadonlyMap<string, readonly HardLimit[]>;
  readonly rows: ReadonlyMap<string, OpenLimitRow>;
  readonly active: ReadonlyMap<string, number>;
  readonly counts: HoldCounts;
  readonly granted: Hold[];
}

/**
 * Decides requests one after the other in one transaction, so that each sees what those before it hold. Outcomes come in the order of
 * the requests. Safe to run again: a request that was granted finds its own hold.
 */
export async function grantReservations(
  tx: Transaction,
  requests: readonly CheckedReservation[],
  now: Instant,
): Promise<ReservationOutcome[]> {
  const grants = await readGrants(tx, requests, now);
  const outcomes = requests.map((request) => decide(grants, request));
  for (const each of grants.granted) tx.upsert(hold, each);
  writeLimitRows(tx, grants.rows.values(), now);
  grants.counts.write(tx);
  return outcomes;
}

async function readGrants(
  tx: Transaction,
  requests: readonly CheckedReservation[],
  now: Instant,
): Promise<Grants> {
  const identities = [...new Set(requests.map(({ identity }) => identity))];
  const wanted = [...new Map(requests.map((each) => [featureName(each), each])).values()];
  const [held, events, limitRows, unknown, counts] = await Promise.all([
    readHolds(tx, identities),
    tx.read(
      event,
      identities.map((identity) => [identity]),
    ),
    tx.read(
      customerLimits,
      wanted.map(({ namespace, customer, feature }) => [namespace, customer, feature]),
    ),
    readUnknown(tx, wanted),
    readHoldCounts(tx, wanted),
  ]);
  const limits = new Map(
    wanted.map((each, index) => [featureName(each), hardLimitsOf(limitRows[index])] as const),
  );
  const all = [...limits.values()].flat();
  const [rows, active] = await Promise.all([
    openLimitRows(
      tx,
      all.map((hard) => decidingPlace(hard, now)),
      now,
    ),
    readActiveGenerations(
      tx,
      all.map(({ of }) => of),
    ),
  ]);
  const holds = new Map(held.flatMap((row) => (row ? [[row.identity, row] as const] : [])));
  const counted = new Set(identities.filter((_, index) => events[index] !== undefined));
  return { now, holds, counted, unknown, limits, rows, active, counts, granted: [] };
}

async function readUnknown(
  tx: Transaction,
  wanted: readonly FeatureOfCustomer[],
): Promise<ReadonlyMap<string, Unknown>> {
  const [customers, features] = await Promise.all([
    tx.read(
      customerTable,
      wanted.map(({ namespace, customer }) => [namespace, customer]),
    ),
    tx.read(
      featureTable,
      wanted.map(({ namespace, feature }) => [namespace, feature]),
    ),
  ]);
  const unknown = new Map<string, Unknown>();
  wanted.forEach((each, index) => {
    const why = whyUnknown(customers[index], features[index]);
    if (why !== undefined) unknown.set(featureName(each), why);
  });
  return unknown;
}

interface Archivable {
  readonly archivedAt: Instant | null;
}

function whyUnknown(customer: Archivable | undefined, feature: Archivable | undefined): Unknown | undefined {
  if (customer === undefined) return 'customer_not_found';
  if (customer.archivedAt !== null) return 'customer_archived';
  if (feature === undefined) return 'feature_not_found';
  return feature.archivedAt === null ? undefined : 'feature_archived';
}

function decide(grants: Grants, request: CheckedReservation): ReservationOutcome {
  const { now, counts } = grants;
  if (grants.counted.has(request.identity)) return { outcome: 'event_already_counted' };
  const known = grants.holds.get(request.identity);
  if (known?.state === 'settled') return { outcome: 'event_already_counted' };
  if (known && isHeldRow(known)) return again(known, request, now);
  const unknown = grants.unknown.get(featureName(request));
  if (unknown !== undefined) return { outcome: unknown };
  if (counts.of(request) >= OPEN_HOLDS_MAX) return { outcome: 'too_many_holds' };
  const rows = rowsOf(grants, request);
  const full = rows.some((row) => compare(request.amount, roomOf(row, generationOf(grants, row), now)) > 0);
  if (full) return { outcome: 'quota_exceeded', entitlement: refusal(grants, request, rows) };
  for (const row of rows) addHeld(row, request.amount);
  counts.add(request, 1);
  const granted = holdOf(request, now);
  grants.holds.set(request.identity, granted);
  grants.granted.push(granted);
  return { outcome: 'granted', reservation: reservationOf(granted, now), repeated: false };
}

/** The time to live is no part of what is compared: the first answer's stands. */
function again(known: Hold, request: CheckedReservation, now: Instant): ReservationOutcome {
  const same =
    known.customer === request.customer &&
    known.feature === request.feature &&
    known.amount === request.amountText;
  return same
    ? { outcome: 'granted', reservation: reservationOf(known, now), repeated: true }
    : { outcome: 'reservation_conflict' };
}

const rowsOf = ({ limits, rows, now }: Grants, request: CheckedReservation): OpenLimitRow[] =>
  (limits.get(featureName(request)) ?? []).flatMap((hard) => rows.get(decidingPlace(hard, now).name) ?? []);

const generationOf = ({ active }: Grants, { place }: OpenLimitRow): number =>
  active.get(generationName(place.hard.of)) ?? 0;

const refusal = (
  grants: Grants,
  { feature, amount }: CheckedReservation,
  rows: readonly OpenLimitRow[],
): Entitlement =>
  entitle(
    feature,
    rows.map((row) =>
      limitStateOf(row, { generation: generationOf(grants, row), now: grants.now, asked: amount }),
    ),
    amount,
  );

function holdOf(request: CheckedReservation, now: Instant): Hold {
  const { identity, namespace, customer, feature, amountText, ttlMicros } = request;
  return {
    identity,
    namespace,
    customer,
    feature,
    amount: amountText,
    held: amountText,
    state: 'open',
    heldAt: now,
    expiresAt: now + ttlMicros,
    grantedAt: commitTimestamp,
    closedAt: null,
  };
}
