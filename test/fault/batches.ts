import type { PlannedMessage } from '#test/support/reference-plan.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';

const BATCH_MAX = 60;

/** The texts of messages, in batches of random size as producers publish them. */
export function inBatches(draw: SeededRandom, messages: readonly PlannedMessage[]): string[][] {
  const batches: string[][] = [];
  for (let at = 0; at < messages.length;) {
    const size = 1 + draw.below(BATCH_MAX);
    batches.push(messages.slice(at, at + size).map(({ text }) => text));
    at += size;
  }
  return batches;
}
