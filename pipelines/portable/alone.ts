import { storeWatermarks } from '#infra/usage/watermark.ts';
import type { MembershipOptions } from '#pipelines/fleet/membership.ts';
import { giveUpErrands, leasedErrands } from '#pipelines/runner/leased-errands.ts';
import type { HoldingMembership } from './portable-worker.ts';

const WATERMARK_EVERY_MS = 250;

/**
 * A worker whose topics know how far they are acknowledged, whoever holds what: it has nothing to claim and is never cut off. It only shares the
 * errands with the others.
 */
export async function joinAlone(options: MembershipOptions): Promise<HoldingMembership> {
  const { worker, database, feeds, latenessMicros, scheduler } = options;
  const watched = feeds.map(({ feed, rule, topic }) => {
    const namespace = rule.kind === 'fixed' ? rule.namespace : null;
    return { feed, worker, namespace, latenessMicros, topic };
  });
  const watermarks = { everyMs: WATERMARK_EVERY_MS, run: () => storeWatermarks(database, watched) };
  return {
    feeds,
    fenced: new AbortController().signal,
    claim: async () => undefined,
    errands: (forAll) => leasedErrands([watermarks, ...forAll], { database, worker, clock: scheduler.now }),
    leave: async () => {
      await giveUpErrands({ database, worker }).catch(() => undefined);
    },
  };
}
