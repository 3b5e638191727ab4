import type { PlanVersion, PlanVersionState } from '#domain/plans/plan-version.ts';
import type { Reads } from '#infra/database/database.ts';
import type { Row } from '#infra/usage/tables.ts';
import { PlanError } from './errors.ts';
import { plan, planVersion } from './tables.ts';

export type Plan = Row<typeof plan>;
export type PlanVersionRow = Omit<Row<typeof planVersion>, 'state'> & { readonly state: PlanVersionState };

export interface VersionPlace {
  readonly plan: string;
  readonly version: number;
}

interface Page<Position> {
  /** The last one of the page before. */
  readonly after?: Position;
  readonly limit: number;
}

/** One plan, archived or not; undefined when there is none. */
export async function readPlan(from: Reads, namespace: string, key: string): Promise<Plan | undefined> {
  const [row] = await from.read(plan, [[namespace, key]]);
  return row;
}

/** Throws `PlanError` `plan_not_found`. */
export async function existingPlan(from: Reads, namespace: string, key: string): Promise<Plan> {
  const row = await readPlan(from, namespace, key);
  if (row === undefined) throw new PlanError('plan_not_found', `there is no plan ${key}`);
  return row;
}

/** Plans by key, archived ones too. */
export async function listPlans(
  from: Reads,
  namespace: string,
  { after, limit }: Page<string>,
): Promise<Plan[]> {
  // The range is closed below, so the row named by `after` itself comes first.
  const range = { prefix: [namespace], ...(after === undefined ? {} : { from: after }) };
  const rows = await Array.fromAsync(from.scan(plan, range, { limit: limit + 1 }));
  return rows.filter(({ key }) => key !== after).slice(0, limit);
}

const rowOf = (row: Row<typeof planVersion>): PlanVersionRow => ({
  ...row,
  state: row.state as PlanVersionState,
});

/** A version as the rules take it. */
export const planVersionOf = ({ plan, version, state, definition }: PlanVersionRow): PlanVersion => ({
  ...definition,
  plan,
  version,
  state,
});

export async function readVersionRow(
  from: Reads,
  namespace: string,
  place: VersionPlace,
): Promise<PlanVersionRow | undefined> {
  const [row] = await from.read(planVersion, [[namespace, place.plan, place.version]]);
  return row && rowOf(row);
}

/** Versions in the order in which they are asked for, in one round trip; undefined where there is none. */
export async function readPlanVersions(
  from: Reads,
  namespace: string,
  places: readonly VersionPlace[],
): Promise<(PlanVersion | undefined)[]> {
  if (places.length === 0) return [];
  const keys = places.map(({ plan, version }) => [namespace, plan, version]);
  return (await from.read(planVersion, keys)).map((row) => row && planVersionOf(rowOf(row)));
}

export async function readPlanVersion(
  from: Reads,
  namespace: string,
  place: VersionPlace,
): Promise<PlanVersion | undefined> {
  return (await readPlanVersions(from, namespace, [place]))[0];
}

/** Throws `PlanError`: `plan_not_found`, `plan_version_not_found`. */
export async function existingVersion(
  from: Reads,
  namespace: string,
  place: VersionPlace,
): Promise<PlanVersionRow> {
  const [row] = await Promise.all([
    readVersionRow(from, namespace, place),
    existingPlan(from, namespace, place.plan),
  ]);
  if (row === undefined)
    throw new PlanError('plan_version_not_found', `the plan ${place.plan} has no version ${place.version}`);
  return row;
}

/** The versions of a plan, the oldest first. */
export async function listVersions(
  from: Reads,
  { namespace, plan }: { readonly namespace: string; readonly plan: string },
  { after = 0, limit }: Page<number>,
): Promise<PlanVersionRow[]> {
  const range = { prefix: [namespace, plan], from: after + 1 };
  return Array.fromAsync(from.scan(planVersion, range, { limit }), rowOf);
}

/** The greatest number of an active version other than `but`; null when there is none. */
export async function newestActive(
  from: Reads,
  namespace: string,
  { plan, version: but }: VersionPlace,
): Promise<number | null> {
  const range = { prefix: [namespace, plan, 'active' satisfies PlanVersionState] };
  const options = { index: 'byState', reverse: true, limit: 2 };
  const rows = await Array.fromAsync(from.scan(planVersion, range, options));
  return rows.find(({ version }) => version !== but)?.version ?? null;
}

/**
 * The version of a plan that can be subscribed to: the one that is named, or the newest active one. Throws `PlanError`: `plan_not_found`,
 * `plan_archived`, `plan_version_not_found`, `plan_version_not_active`.
 */
export async function offeredVersion(
  from: Reads,
  namespace: string,
  { plan, version: named }: { readonly plan: string; readonly version?: number | undefined },
): Promise<PlanVersion> {
  const { archivedAt, activeVersion } = await existingPlan(from, namespace, plan);
  if (archivedAt !== null)
    throw new PlanError('plan_archived', `the plan ${plan} is archived: nobody can subscribe to it any more`);
  const version = named ?? activeVersion;
  if (version === null)
    throw new PlanError('plan_version_not_active', `no version of the plan ${plan} can be subscribed to`);
  const found = await readPlanVersion(from, namespace, { plan, version });
  if (found === undefined)
    throw new PlanError('plan_version_not_found', `the plan ${plan} has no version ${version}`);
  if (found.state === 'active') return found;
  throw new PlanError(
    'plan_version_not_active',
    found.state === 'draft'
      ? `version ${version} of ${plan} is a draft: publish it first`
      : `version ${version} of ${plan} is archived: choose another`,
  );
}
