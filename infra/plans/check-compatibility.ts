import { compatibility, type Compatibility } from '#domain/plans/compatibility.ts';
import type { Reads } from '#infra/database/database.ts';
import { existingVersion, planVersionOf, type VersionPlace } from './read-plans.ts';

export interface CompatibilityQuestion {
  readonly from: VersionPlace;
  readonly to: VersionPlace;
  /** Every currency of `from` where none is named. */
  readonly currency?: string | undefined;
}

/**
 * What it means to go from one stored version to another, for a subscription that says nothing of its own; each thing once. Throws
 * `PlanError`: `plan_not_found`, `plan_version_not_found`.
 */
export async function checkCompatibility(
  snapshot: Reads,
  namespace: string,
  question: CompatibilityQuestion,
): Promise<Compatibility> {
  const [from, to] = await Promise.all([
    existingVersion(snapshot, namespace, question.from),
    existingVersion(snapshot, namespace, question.to),
  ]);
  const currencies = question.currency === undefined ? from.definition.currencies : [question.currency];
  const all = currencies.map((currency) =>
    compatibility(planVersionOf(from), planVersionOf(to), {
      currency,
      quantities: {},
      overrides: {},
      addOns: {},
    }),
  );
  return {
    faults: eachOnce(all.flatMap(({ faults }) => faults)),
    notices: eachOnce(all.flatMap(({ notices }) => notices)),
  };
}

const eachOnce = <Said extends { readonly code: string; readonly message: string }>(
  all: readonly Said[],
): Said[] => [...new Map(all.map((said) => [`${said.code} ${said.message}`, said])).values()];
