import { entitle, unlimited, type Entitlement, type LimitState } from '#domain/entitlements/entitlement.ts';
import type { Instant } from '#domain/instant.ts';
import { ENTITLEMENT_CHECKS_MAX } from '#domain/limits.ts';
import { fromDecimalString, type Quantity } from '#domain/metering/quantity.ts';
import type { Violation } from '#domain/violation.ts';
import { subjectsOfCustomer, type OwnedSubject } from '#infra/customers/own-subjects.ts';
import type { Database, Reads, SnapshotReads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { cellLimitState } from './cell-limit-state.ts';
import { holdsAt, readGrounds, type Grounds } from './check-grounds.ts';
import { createCheckMemory, type CheckMemory, type KnownNamespace } from './check-memory.ts';
import { EntitlementError } from './errors.ts';
import type { CustomerLimits } from './hard-limits.ts';
import { limitStateOf } from './limit-state.ts';
import { checkPositive } from './reservation.ts';

export interface EntitlementCheck {
  readonly customer: string;
  readonly feature: string;
  /** Whether so much more may be used, a plain decimal above 0; whether anything may when left out. */
  readonly amount?: string | undefined;
}

export interface EntitlementAnswer extends Entitlement {
  readonly customer: string;
  /** P of the namespace, read in the same snapshot as the usage; null while no feed has reported. */
  readonly asOf: Instant | null;
  readonly completeThrough: Instant | null;
}

/**
 * Answers checks in their order from one snapshot. A feature without limits is allowed (`no_limit`): until plans grant features, a limit is
 * the only thing that can be in the way; so a feature without a meter is allowed as well, and one that does not exist, or is archived, is
 * not; nor is a customer that does not exist or is archived. Bounded: a hard limit is one row, any other the cells of the customer's subjects in the
 * period. Throws `EntitlementError` `invalid_check`.
 */
export async function checkEntitlements(
  database: Database,
  namespace: string,
  checks: readonly EntitlementCheck[],
  now: Instant,
): Promise<EntitlementAnswer[]> {
  refuseInvalid(checks);
  return inSnapshot(database, (from) => answerChecks(from, createCheckMemory(), { namespace, checks, now }));
}

/** Checks of one namespace that were found to be well formed. */
export interface AskedChecks {
  readonly namespace: string;
  readonly checks: readonly EntitlementCheck[];
  readonly now: Instant;
}

/** The same for checks of one snapshot. What is remembered of its state is not read again. */
export async function answerChecks(
  from: SnapshotReads,
  memory: CheckMemory,
  { namespace, checks, now }: AskedChecks,
): Promise<EntitlementAnswer[]> {
  const remembered = memory.namespaceIn(from, namespace);
  const known = remembered instanceof Promise ? await remembered : remembered;
  const missing = missingGrounds(known, checks, now);
  if (missing.size > 0) {
    const read = await readGrounds(from, namespace, { asked: [...missing.values()], now });
    for (const [index, name] of [...missing.keys()].entries()) memory.keep(known, name, foundAt(read, index));
  }
  // Taken at once: others who ask a moment later may replace what is remembered.
  const grounds = checks.map((check) => known.grounds.get(nameOf(check)));
  const checking: Checking = {
    from,
    namespace,
    now,
    rolledThrough: known.rolledThrough,
    subjects: new Map(),
  };
  const answers: EntitlementAnswer[] = [];
  // One after the other: a snapshot has one reader.
  for (const [index, check] of checks.entries()) {
    const entitled = entitlementOf(checking, check, foundAt(grounds, index));
    // Most checks are of hard limits, which are known by now: they wait for nothing.
    const entitlement = entitled instanceof Promise ? await entitled : entitled;
    answers.push({ customer: check.customer, ...entitlement, ...known.stamp });
  }
  return answers;
}

const nameOf = ({ customer, feature }: EntitlementCheck): string => `${customer}\0${feature}`;

/** By their names, those whose grounds have to be read. */
function missingGrounds(
  { grounds }: KnownNamespace,
  checks: readonly EntitlementCheck[],
  now: Instant,
): Map<string, EntitlementCheck> {
  const missing = new Map<string, EntitlementCheck>();
  for (const check of checks) {
    const name = nameOf(check);
    const known = grounds.get(name);
    if (known === undefined || !holdsAt(known, now)) missing.set(name, check);
  }
  return missing;
}

function foundAt(grounds: readonly (Grounds | undefined)[], index: number): Grounds {
  const found = grounds[index];
  if (found === undefined) throw new Error('a check has no grounds');
  return found;
}

/** Throws `EntitlementError` `invalid_check` with every violation. */
export function refuseInvalid(checks: readonly EntitlementCheck[]): void {
  const violations: Violation[] = [];
  if (checks.length === 0 || checks.length > ENTITLEMENT_CHECKS_MAX) {
    const message = `asks for 1 to ${ENTITLEMENT_CHECKS_MAX} entitlements at once`;
    violations.push({ pointer: '', code: 'invalid_number_of_checks', message });
  }
  checks.forEach(({ amount }, index) => {
    if (amount !== undefined) violations.push(...checkPositive(`/${index}/amount`, amount));
  });
  if (violations.length > 0) throw new EntitlementError('invalid_check', sentenceOf(violations), violations);
}

/** What the checks of one call share. */
interface Checking {
  readonly from: Reads;
  readonly namespace: string;
  readonly now: Instant;
  readonly rolledThrough: number;
  /** By customer, for those that are asked for by soft limits. */
  readonly subjects: Map<string, Promise<OwnedSubject[]>>;
}

function entitlementOf(
  checking: Checking,
  { feature, amount }: EntitlementCheck,
  grounds: Grounds,
): Entitlement | Promise<Entitlement> {
  if (amount === undefined && grounds.decided !== undefined) return grounds.decided;
  const barred = withoutLimits(feature, grounds);
  if (barred !== undefined) return barred;
  const asked = amount === undefined ? undefined : fromDecimalString(amount);
  const states = limitStates(checking, grounds, asked);
  if (states instanceof Promise) return states.then((known) => entitle(feature, known, asked));
  const entitlement = entitle(feature, states, asked);
  // A rolling window has no end that `holdsAt` could wait for: usage leaves it by itself.
  if (amount === undefined && grounds.rows.every(({ place }) => place.periodEnd !== null))
    grounds.decided = entitlement;
  return entitlement;
}

/** The answer where no limit has a say. */
function withoutLimits(key: string, { feature, owner, limits }: Grounds): Entitlement | undefined {
  const kind = feature?.meter == null ? 'boolean' : 'metered';
  if (owner === undefined) return unlimited(key, kind, 'unknown_customer');
  if (owner.archivedAt !== null) return unlimited(key, kind, 'archived_customer');
  if (feature === undefined) return unlimited(key, kind, 'unknown_feature');
  if (feature.archivedAt !== null) return unlimited(key, kind, 'archived_feature');
  if (limits === undefined || limits.limits.length === 0) return unlimited(key, kind, 'no_limit');
  return undefined;
}

function limitStates(
  checking: Checking,
  grounds: Grounds,
  asked: Quantity | undefined,
): LimitState[] | Promise<LimitState[]> {
  const { now } = checking;
  const { meter, limits, rows } = grounds;
  const generation = meter?.generation ?? 0;
  const states = rows.map((row) => limitStateOf(row, { generation, now, asked }));
  // A meter without an active version counts nothing any more, and what does not count cannot pass a limit.
  if (meter === undefined || limits === undefined) return states;
  if (limits.limits.every(({ overage }) => overage === 'hard')) return states;
  return withCellLimits(checking, limits, { meter, asked, states });
}

interface CellLimits {
  readonly meter: NonNullable<Grounds['meter']>;
  readonly asked: Quantity | undefined;
  readonly states: LimitState[];
}

async function withCellLimits(
  checking: Checking,
  of: CustomerLimits,
  { meter, asked, states }: CellLimits,
): Promise<LimitState[]> {
  const { from, namespace, now, rolledThrough } = checking;
  const usage = { namespace, meter, subjects: await subjectsOf(checking, of.customer), rolledThrough };
  for (const limit of of.limits)
    if (limit.overage !== 'hard') states.push(await cellLimitState(from, usage, { limit, now, asked }));
  return states;
}

function subjectsOf({ from, namespace, subjects }: Checking, customer: string): Promise<OwnedSubject[]> {
  const known = subjects.get(customer) ?? subjectsOfCustomer(from, namespace, customer);
  subjects.set(customer, known);
  return known;
}
