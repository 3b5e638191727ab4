import type { DelayedBundleApplication, ProcessBundleSplitRequest } from 'apache-beam/proto/beam_fn_api';
import { isCheckpointing } from '../operator.ts';
import type { BundleProcessor } from './bundle-processor.ts';

/** What a bundle that has ended well left to do. The SDK always answers that it is nothing, so a splittable DoFn ended after its first bundle. */
export const residualsOf = ({ topologicallyOrderedOperators }: BundleProcessor): DelayedBundleApplication[] =>
  topologicallyOrderedOperators.filter(isCheckpointing).flatMap((operator) => operator.takeResiduals());

/** To keep nothing of the work that remains is how a runner asks a bundle to end as soon as it can. */
const asksToEnd = ({ desiredSplits }: ProcessBundleSplitRequest): boolean =>
  Object.values(desiredSplits).some(({ fractionOfRemainder }) => fractionOfRemainder === 0);

/** The bundle's rounds should end soon: nothing is asked of a bundle that has none. */
export function endRounds({ topologicallyOrderedOperators }: BundleProcessor): void {
  for (const operator of topologicallyOrderedOperators.filter(isCheckpointing)) operator.checkpoint();
}

/**
 * The SDK splits between elements only. An element of ours cannot be split while it is read, since only the end of its round says what is
 * left of it; so where the runner asks the bundle to end, its rounds end early, and the rest comes with the bundle's own answer.
 */
export function endRoundsIfAsked(processor: BundleProcessor, request: ProcessBundleSplitRequest): void {
  if (asksToEnd(request)) endRounds(processor);
}
