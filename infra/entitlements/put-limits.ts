import {
  checkLimits,
  compilePeriod,
  countsSame,
  normaliseLimits,
  type LimitDefinition,
} from '#domain/entitlements/limit.ts';
import { periodAt } from '#domain/calendar/period.ts';
import type { Instant } from '#domain/instant.ts';
import { LIMITED_FEATURES_PER_CUSTOMER_MAX } from '#domain/limits.ts';
import type { Aggregation } from '#domain/metering/accumulator.ts';
import { fromDecimalString } from '#domain/metering/quantity.ts';
import { feature as featureTable } from '#infra/catalogue/tables.ts';
import { subjectsOfCustomer } from '#infra/customers/own-subjects.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { event } from '#infra/usage/tables.ts';
import { activeVersion, generationName, readMeters } from './active-generations.ts';
import { EntitlementError } from './errors.ts';
import { hardLimitsOf, readLimitsOf, type CustomerLimits } from './hard-limits.ts';
import { closeHold, placesOfHold, readHoldCounts, type FeatureOfCustomer, type Hold } from './hold-rows.ts';
import { addHeld, emptyLimitRow, openLimitRows, writeLimitRows, type OpenLimitRow } from './limit-rows.ts';
import { markSubjects, recountLimits } from './refresh-limits.ts';
import { customerLimits, hold, limitRow, ROLLING_PERIOD_START, type StoredLimit } from './tables.ts';

/** A feature's limits of one customer, as answers show them. */
export interface FeatureLimits {
  readonly customer: string;
  readonly feature: string;
  readonly limits: readonly LimitDefinition[];
}

export interface PutLimits extends FeatureOfCustomer {
  readonly limits: readonly LimitDefinition[];
  readonly now: Instant;
}

/**
 * Sets all limits of a customer on a feature, in place of those before. A limit that keeps its key and its periods keeps its count; any
 * other is counted from the cells and the holds there are, in the same transaction, so that it is exact from its first moment on. Whether
 * the customer exists is the caller's to ask. Throws `EntitlementError` with every violation.
 */
export async function putLimits(tx: Transaction, put: PutLimits): Promise<FeatureLimits> {
  const { namespace, customer, feature, now } = put;
  const [meter, existing] = await Promise.all([
    meterOfFeature(tx, namespace, feature),
    readLimitsOf(tx, namespace, customer),
  ]);
  checkAll(put.limits, meter.aggregation);
  const before = existing.find((each) => each.feature === feature);
  checkRoom(existing, before);
  const after = nextLimits(before, put, meter.key);
  tx.upsert(customerLimits, after);
  await settleChange(tx, { before, after, existing, now });
  return { customer, feature, limits: after.limits.map(definitionOf) };
}

/** The limits of a customer on a feature; without any when there are none. */
export async function getLimits(
  from: Reads,
  { namespace, customer, feature }: FeatureOfCustomer,
): Promise<FeatureLimits> {
  const [row] = await from.read(customerLimits, [[namespace, customer, feature]]);
  return { customer, feature, limits: (row?.limits ?? []).map(definitionOf) };
}

/** Takes all limits of a customer on a feature away; says whether there were any. Holds stay, and end as they would have. */
export async function deleteLimits(
  tx: Transaction,
  { namespace, customer, feature, now }: FeatureOfCustomer & { readonly now: Instant },
): Promise<boolean> {
  const existing = await readLimitsOf(tx, namespace, customer);
  const before = existing.find((each) => each.feature === feature);
  if (before === undefined || before.limits.length === 0) return false;
  const after = { ...before, limits: [], hasHard: false };
  tx.upsert(customerLimits, after);
  await settleChange(tx, { before, after, existing, now });
  return true;
}

const definitionOf = ({ key, amount, period, overage }: StoredLimit): LimitDefinition => ({
  key,
  amount,
  period,
  overage,
});

async function meterOfFeature(
  tx: Transaction,
  namespace: string,
  key: string,
): Promise<{ key: string; aggregation: Aggregation }> {
  const [feature] = await tx.read(featureTable, [[namespace, key]]);
  if (feature === undefined) throw new EntitlementError('feature_not_found', `there is no feature ${key}`);
  if (feature.archivedAt !== null)
    throw new EntitlementError('feature_archived', `the feature ${key} is archived`);
  if (feature.meter === null)
    throw new EntitlementError(
      'feature_without_meter',
      `the feature ${key} has no meter, so nothing of it can be limited`,
    );
  const meters = await readMeters(tx, [{ namespace, meter: feature.meter }]);
  const active = activeVersion(meters.get(generationName({ namespace, meter: feature.meter })) ?? []);
  if (active === undefined)
    throw new EntitlementError('feature_without_meter', `the meter of ${key} counts nothing any more`);
  return { key: feature.meter, aggregation: active.definition.aggregation };
}

function checkAll(limits: readonly LimitDefinition[], aggregation: Aggregation): void {
  const violations = checkLimits(limits, aggregation);
  if (violations.length === 0) return;
  const code = violations.every((each) => each.code === 'aggregation_not_limitable')
    ? 'aggregation_not_limitable'
    : 'invalid_limits';
  throw new EntitlementError(code, sentenceOf(violations), violations);
}

/** A commit looks through all limits of a customer, so they are bounded. */
function checkRoom(existing: readonly CustomerLimits[], before: CustomerLimits | undefined): void {
  const limited = existing.filter((each) => each.limits.length > 0 && each !== before);
  if (limited.length < LIMITED_FEATURES_PER_CUSTOMER_MAX) return;
  throw new EntitlementError(
    'too_many_limited_features',
    `a customer has limits on at most ${LIMITED_FEATURES_PER_CUSTOMER_MAX} features`,
  );
}

/** A limit that counts the same goes on with its rows; any other is a new definition, whose rows are its own. */
function nextLimits(
  before: CustomerLimits | undefined,
  { namespace, customer, feature, limits: wanted, now }: PutLimits,
  meter: string,
): CustomerLimits {
  let version = before?.version ?? 0;
  const known = new Map(before?.meter === meter ? before.limits.map((limit) => [limit.key, limit]) : []);
  const limits = normaliseLimits(wanted).map((limit): StoredLimit => {
    const same = known.get(limit.key);
    if (same !== undefined && countsSame(same, limit))
      return { ...limit, version: same.version, since: same.since };
    version++;
    return { ...limit, version, since: beginningOf(limit, now) };
  });
  const hasHard = limits.some(({ overage }) => overage === 'hard');
  return { namespace, customer, feature, meter, limits, hasHard, version };
}

/** A limit counts its whole present period. */
function beginningOf(limit: LimitDefinition, now: Instant): Instant {
  const period = compilePeriod(limit.period);
  return period.kind === 'every' ? periodAt(period.rule, now).from : now;
}

interface Change {
  readonly before: CustomerLimits | undefined;
  readonly after: CustomerLimits;
  /** All limits of the customer, as they were. */
  readonly existing: readonly CustomerLimits[];
  readonly now: Instant;
}

async function settleChange(tx: Transaction, { before, after, existing, now }: Change): Promise<void> {
  const { namespace, customer } = after;
  const subjects = await subjectsOfCustomer(tx, namespace, customer);
  const others = existing.some((each) => each.hasHard && each.feature !== after.feature);
  if (others || after.hasHard !== (before?.hasHard ?? false))
    await markSubjects(tx, { namespace, customer, subjects, hasHard: others || after.hasHard });
  const versions = new Set(before?.limits.map(({ version }) => version));
  const fresh = hardLimitsOf(after).filter(({ limit }) => !versions.has(limit.version));
  const rows = new Map<string, OpenLimitRow>();
  if (fresh.length > 0) {
    const only = new Set(fresh.map(({ limit }) => limit.key));
    for (const row of await recountLimits(tx, after, { subjects, now, only })) rows.set(row.place.name, row);
    await takeOverHolds(tx, after, { rows, only, now });
  }
  writeLimitRows(tx, rows.values(), now);
  deleteRolling(tx, before, after);
}

/**
 * Holds that were granted under other limits, or without any, are held in the rows of the new ones too. One whose event was committed
 * while no limit watched its subject is settled instead: its usage is among what was counted.
 */
async function takeOverHolds(
  tx: Transaction,
  of: CustomerLimits,
  { rows, only, now }: { rows: Map<string, OpenLimitRow>; only: ReadonlySet<string>; now: Instant },
): Promise<void> {
  const [fresh, kept] = partition(hardLimitsOf(of), ({ limit }) => only.has(limit.key));
  const holds = await Array.fromAsync(heldOf(tx, of));
  if (holds.length === 0) return;
  const [events, counts] = await Promise.all([
    tx.read(
      event,
      holds.map(({ identity }) => [identity]),
    ),
    readHoldCounts(tx, [of]),
  ]);
  const [committed, awaited] = partition(holds, (_, index) => events[index] !== undefined);
  const keptPlaces = committed.flatMap((each) => placesOfHold(each, kept));
  for (const [name, row] of await openLimitRows(tx, keptPlaces, now)) rows.set(name, row);
  for (const each of committed) {
    closeHold(tx, { of: each, places: placesOfHold(each, kept), rows }, 'settled', now);
    counts.add(of, -1);
  }
  for (const each of awaited) {
    for (const place of placesOfHold(each, fresh)) {
      const row = rows.get(place.name) ?? emptyLimitRow(place, now);
      rows.set(place.name, row);
      addHeld(row, fromDecimalString(each.held));
    }
  }
  counts.write(tx);
}

function partition<Item>(
  items: readonly Item[],
  belongs: (item: Item, index: number) => boolean,
): [Item[], Item[]] {
  const [those, others]: [Item[], Item[]] = [[], []];
  items.forEach((item, index) => (belongs(item, index) ? those : others).push(item));
  return [those, others];
}

async function* heldOf(from: Reads, { namespace, customer, feature }: CustomerLimits): AsyncIterable<Hold> {
  for (const state of ['open', 'pending'])
    yield* from.scan(hold, { prefix: [namespace, customer, feature, state] }, { index: 'byFeature' });
}

/** The rows of periods expire, the one of a rolling limit would stay for ever. */
function deleteRolling(tx: Transaction, before: CustomerLimits | undefined, after: CustomerLimits): void {
  for (const { key, period, overage } of before?.limits ?? []) {
    const kept = after.limits.find((limit) => limit.key === key);
    const rolls = kept !== undefined && kept.overage === 'hard' && 'rolling' in kept.period;
    if (overage === 'hard' && 'rolling' in period && !rolls)
      tx.delete(limitRow, [after.namespace, after.customer, after.feature, key, ROLLING_PERIOD_START]);
  }
}
