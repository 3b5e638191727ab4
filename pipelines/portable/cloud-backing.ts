import { openCloud, openFeed } from '#infra/cloud/open-cloud.ts';
import { prepareIfOnEmulators } from '#infra/cloud/prepare-cloud.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import type { HeldBounds } from '#infra/fleet/holder.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { createClosing } from '#infra/stores/opened-stores.ts';
import { ROWS_PER_COUNTED_COMMIT_MAX } from '#infra/usage/commit-bound.ts';
import { joinFleet } from '#pipelines/fleet/membership.ts';
import type { Log } from '#pipelines/runner/log.ts';
import type { Backing } from './backing.ts';

/** Messages are acknowledged by handles of their own, so that those that pull can be closed when the worker is cut off. */
export async function openInCloud(
  environment: NodeJS.ProcessEnv,
  { log, bounds }: { readonly log: Log; readonly bounds: HeldBounds },
): Promise<Backing> {
  const settings = readCloudSettings(environment);
  const clock = systemScheduler.now;
  const { commitDelayMs, pubsub } = settings;
  await prepareIfOnEmulators(settings, clock);
  const stores = await openCloud({ settings, clock, tag: 'portable', commitDelayMs, topicLog: log });
  const openSources = async () => {
    const { keep, close } = createClosing();
    const options = { settings, clock, topicLog: log, outstanding: bounds };
    const opening = pubsub.feeds.map((feed) => openFeed(feed, options, keep));
    try {
      return { feeds: await Promise.all(opening), close };
    } catch (error) {
      await Promise.allSettled(opening);
      await close().catch(() => undefined);
      throw error;
    }
  };
  return {
    ...{ stores, openSources, join: joinFleet, batchArgs: [] },
    rowsPerCommitMax: ROWS_PER_COUNTED_COMMIT_MAX,
    ackDeadlineSeconds: pubsub.ackDeadlineSeconds,
  };
}
