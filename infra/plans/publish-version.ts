import type { Instant } from '#domain/instant.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { chargeIn } from '#domain/plans/charge-in.ts';
import { chargesOf, type PlacedCharge } from '#domain/plans/plan-parts.ts';
import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import { pointerStep, type Violation } from '#domain/violation.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { checkMeterServes, type Meters } from '#infra/rating/check-meter-serves.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { PlanError } from './errors.ts';
import {
  existingPlan,
  existingVersion,
  newestActive,
  type PlanVersionRow,
  type VersionPlace,
} from './read-plans.ts';
import { planMeter, plan as planTable, planVersion } from './tables.ts';

export interface ChangeVersion extends VersionPlace {
  readonly namespace: string;
  readonly now: Instant;
}

/**
 * Makes a draft one that can be subscribed to, and that never changes again. Publishing it twice changes nothing. Throws `PlanError`:
 * `invalid_plan_version` with every charge whose meter is not there, counts no more, or cannot tell what a price asks; `plan_not_found`,
 * `plan_archived`, `plan_version_not_found`, `plan_version_archived`.
 */
export async function publishVersion(
  tx: Transaction,
  { namespace, plan, version, now }: ChangeVersion,
): Promise<PlanVersionRow> {
  const [row, { archivedAt, activeVersion }] = await Promise.all([
    existingVersion(tx, namespace, { plan, version }),
    existingPlan(tx, namespace, plan),
  ]);
  if (row.state === 'active') return row;
  if (row.state === 'archived')
    throw new PlanError('plan_version_archived', `version ${version} of ${plan} is archived: make a new one`);
  if (archivedAt !== null)
    throw new PlanError('plan_archived', `the plan ${plan} is archived: save it again to have it back`);
  await checkMeters(tx, namespace, row.definition);
  const published: PlanVersionRow = { ...row, state: 'active', publishedAt: now };
  tx.upsert(planVersion, published);
  tx.update(planTable, { namespace, key: plan, activeVersion: Math.max(version, activeVersion ?? 0) });
  for (const meter of metersOf(row.definition)) tx.upsert(planMeter, { namespace, meter, plan, version });
  return published;
}

/**
 * Takes a version off the market: nobody can go to it any more, and what is subscribed to it goes on. A draft is given up by it. Archiving
 * it again changes nothing. Throws `PlanError`: `plan_not_found`, `plan_version_not_found`.
 */
export async function archiveVersion(
  tx: Transaction,
  { namespace, plan, version, now }: ChangeVersion,
): Promise<PlanVersionRow> {
  const row = await existingVersion(tx, namespace, { plan, version });
  if (row.state === 'archived') return row;
  const archived: PlanVersionRow = { ...row, state: 'archived', archivedAt: now };
  tx.upsert(planVersion, archived);
  if (row.state === 'active')
    tx.update(planTable, {
      namespace,
      key: plan,
      activeVersion: await newestActive(tx, namespace, { plan, version }),
    });
  return archived;
}

export const metersOf = (definition: PlanVersionDefinition): ReadonlySet<string> =>
  new Set(chargesOf(definition).flatMap(({ charge }) => charge.meter ?? []));

async function checkMeters(from: Reads, namespace: string, definition: PlanVersionDefinition): Promise<void> {
  const meters = await countingMeters(from, namespace, metersOf(definition));
  const violations = chargesOf(definition).flatMap((placed) =>
    checkServed(placed, meters, definition.currencies),
  );
  if (violations.length > 0) throw new PlanError('invalid_plan_version', sentenceOf(violations), violations);
}

/** What a version of a meter could not tell of what a plan's version prices by it, by pointers into that version. */
export const unservedBy = (meter: MeterVersion, definition: PlanVersionDefinition): Violation[] =>
  chargesOf(definition)
    .filter(({ charge }) => charge.meter === meter.key)
    .flatMap((placed) => checkServed(placed, new Map([[meter.key, meter]]), definition.currencies));

/** The meters of these keys that still count, as they answer questions now. */
export async function countingMeters(
  from: Reads,
  namespace: string,
  wanted: Iterable<string>,
): Promise<Meters> {
  const keys = [...wanted];
  const versions = await Promise.all(keys.map((key) => readMeterVersions(from, namespace, key)));
  return new Map(
    versions.flatMap((all, index) => {
      const active = countingVersion(all);
      return active ? [[keys[index] ?? '', active] as const] : [];
    }),
  );
}

/** The version that answers questions, if the meter still counts. */
const countingVersion = (versions: readonly MeterVersion[]): MeterVersion | undefined =>
  versions.every(({ until }) => until !== null)
    ? undefined
    : versions.find(({ state }) => state === 'active');

/** Prices may be of another kind in each currency, so each is asked of the meter; what is wrong in all of them is said once. */
function checkServed(
  { charge, pointer }: PlacedCharge,
  meters: Meters,
  currencies: readonly string[],
): Violation[] {
  const faults = currencies.flatMap((currency) => {
    const at = charge.inCurrency?.[currency] ? `/inCurrency/${pointerStep(currency)}` : '';
    return checkMeterServes(chargeIn(currency, charge), meters, '').map((fault) => ({
      ...fault,
      pointer: fault.pointer === '/meter' ? `${pointer}/meter` : `${pointer}${at}${fault.pointer}`,
    }));
  });
  return [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.code}`, fault])).values()];
}
