import type { PlanVersion } from '../plans/plan-version.ts';

/** The versions that subscriptions name, by `planVersionName`. */
export type PlanVersions = ReadonlyMap<string, Readonly<PlanVersion>>;

export interface PlanVersionRef {
  readonly plan: string;
  readonly version: number;
}

/** `pro/3`: no key of a plan has a slash. */
export const planVersionName = ({ plan, version }: PlanVersionRef): string => `${plan}/${version}`;

export const planVersions = (versions: Iterable<PlanVersion>): PlanVersions =>
  new Map(Array.from(versions, (each) => [planVersionName(each), each]));

/** A version that is named must be among those given: who asks has read them. */
export function versionOf(versions: PlanVersions, ref: PlanVersionRef): PlanVersion {
  const version = versions.get(planVersionName(ref));
  if (version === undefined) throw new Error(`plan version ${planVersionName(ref)} was not read`);
  return version;
}

/** Every version that the terms of a subscription name, each once. */
export const versionsNamed = ({
  terms,
}: {
  readonly terms: readonly PlanVersionRef[];
}): readonly PlanVersionRef[] => [...new Map(terms.map((each) => [planVersionName(each), each])).values()];
