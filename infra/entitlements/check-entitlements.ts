import { entitle, unlimited, type Entitlement, type LimitState } from '#domain/entitlements/entitlement.ts';
import type { Instant } from '#domain/instant.ts';
import { ENTITLEMENT_CHECKS_MAX } from '#domain/limits.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { fromDecimalString, type Quantity } from '#domain/metering/quantity.ts';
import type { Violation } from '#domain/violation.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import { feature as featureTable } from '#infra/catalogue/tables.ts';
import { subjectsOfCustomer, type OwnedSubject } from '#infra/customers/own-subjects.ts';
import { customer as customerTable } from '#infra/customers/tables.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import type { Row } from '#infra/usage/tables.ts';
import { readFreshness } from '#infra/usage/watermark.ts';
import { activeVersion, generationName, readMeters } from './active-generations.ts';
import { cellLimitState } from './cell-limit-state.ts';
import { EntitlementError } from './errors.ts';
import { decidingPlace, hardLimitsOf, type CustomerLimits, type LimitPlace } from './hard-limits.ts';
import { openLimitRows, type OpenLimitRow } from './limit-rows.ts';
import { limitStateOf } from './limit-state.ts';
import { checkPositive } from './reservation.ts';
import { customerLimits } from './tables.ts';

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
  return inSnapshot(database, async (from) => {
    const checking = await readChecking(from, namespace, { checks, now });
    const answers: EntitlementAnswer[] = [];
    // One after the other: a snapshot has one reader.
    for (const check of checks) {
      const entitled = entitlementOf(checking, check);
      // Most checks are of hard limits, which were read already: they wait for nothing.
      const entitlement = entitled instanceof Promise ? await entitled : entitled;
      answers.push({ customer: check.customer, ...entitlement, ...checking.stamp });
    }
    return answers;
  });
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
  readonly stamp: Pick<EntitlementAnswer, 'asOf' | 'completeThrough'>;
  readonly rolledThrough: number;
  readonly features: ReadonlyMap<string, Row<typeof featureTable> | undefined>;
  readonly customers: ReadonlyMap<string, Row<typeof customerTable> | undefined>;
  readonly limits: ReadonlyMap<string, CustomerLimits>;
  /** Of the hard ones, by the names of their places. */
  readonly rows: ReadonlyMap<string, OpenLimitRow>;
  readonly meters: ReadonlyMap<string, readonly MeterVersion[]>;
  /** By customer, for those that are asked for by soft limits. */
  readonly subjects: Map<string, Promise<OwnedSubject[]>>;
}

const limitsName = ({ customer, feature }: { customer: string; feature: string }): string =>
  `${customer}\0${feature}`;

async function readChecking(
  from: Reads,
  namespace: string,
  { checks, now }: { checks: readonly EntitlementCheck[]; now: Instant },
): Promise<Checking> {
  const wanted = [...new Map(checks.map((check) => [limitsName(check), check])).values()];
  const names = [...new Set(checks.map(({ feature }) => feature))];
  const customers = [...new Set(checks.map(({ customer }) => customer))];
  const [freshness, { rolledThrough }, features, customerRows, rows] = await Promise.all([
    readFreshness(from, namespace),
    readCatalogueRow(from, namespace),
    from.read(
      featureTable,
      names.map((name) => [namespace, name]),
    ),
    from.read(
      customerTable,
      customers.map((customer) => [namespace, customer]),
    ),
    from.read(
      customerLimits,
      wanted.map(({ customer, feature }) => [namespace, customer, feature]),
    ),
  ]);
  const limits = new Map(rows.flatMap((row) => (row ? [[limitsName(row), row] as const] : [])));
  return {
    from,
    namespace,
    now,
    stamp: { asOf: freshness?.asOf ?? null, completeThrough: freshness?.completeThrough ?? null },
    rolledThrough,
    features: new Map(names.map((name, index) => [name, features[index]])),
    customers: new Map(customers.map((customer, index) => [customer, customerRows[index]])),
    limits,
    rows: await openLimitRows(
      from,
      [...limits.values()].flatMap((of) => decidingPlaces(of, now)),
      now,
    ),
    meters: await readMeters(from, limits.values()),
    subjects: new Map(),
  };
}

function entitlementOf(
  checking: Checking,
  { customer, feature, amount }: EntitlementCheck,
): Entitlement | Promise<Entitlement> {
  const row = checking.features.get(feature);
  const owner = checking.customers.get(customer);
  const kind = row?.meter == null ? 'boolean' : 'metered';
  if (owner === undefined) return unlimited(feature, kind, 'unknown_customer');
  if (owner.archivedAt !== null) return unlimited(feature, kind, 'archived_customer');
  if (row === undefined) return unlimited(feature, kind, 'unknown_feature');
  if (row.archivedAt !== null) return unlimited(feature, kind, 'archived_feature');
  const limits = checking.limits.get(limitsName({ customer, feature }));
  if (limits === undefined || limits.limits.length === 0) return unlimited(feature, kind, 'no_limit');
  const asked = amount === undefined ? undefined : fromDecimalString(amount);
  const states = limitStates(checking, limits, asked);
  if (states instanceof Promise) return states.then((known) => entitle(feature, known, asked));
  return entitle(feature, states, asked);
}

const decidingPlaces = (of: CustomerLimits, now: Instant): LimitPlace[] =>
  hardLimitsOf(of).map((hard) => decidingPlace(hard, now));

function limitStates(
  checking: Checking,
  of: CustomerLimits,
  asked: Quantity | undefined,
): readonly LimitState[] | Promise<readonly LimitState[]> {
  const { now } = checking;
  const meter = activeVersion(checking.meters.get(generationName(of)) ?? []);
  const generation = meter?.generation ?? 0;
  const hard = decidingPlaces(of, now).flatMap(({ name }) => checking.rows.get(name) ?? []);
  const states = hard.map((row) => limitStateOf(row, { generation, now, asked }));
  // A meter without an active version counts nothing any more, and what does not count cannot pass a limit.
  if (meter === undefined || of.limits.every(({ overage }) => overage === 'hard')) return states;
  return withCellLimits(checking, of, { meter, asked, states });
}

async function withCellLimits(
  checking: Checking,
  of: CustomerLimits,
  { meter, asked, states }: { meter: MeterVersion; asked: Quantity | undefined; states: LimitState[] },
): Promise<readonly LimitState[]> {
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
