import type { Scheduler } from '#infra/scheduler.ts';
import type { OpenedFeed } from '#infra/stores/opened-stores.ts';
import { publishHeartbeat } from '#infra/topic/heartbeat.ts';
import { runErrand } from '#pipelines/runner/errand.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { HEARTBEAT_MS } from './markers.ts';

/**
 * Publishes the heartbeats that Java's read needs, until it is stopped: whoever supervises does, since a worker is started by a message only, and an idle
 * feed has none.
 */
export function keepMoving(
  feeds: readonly Pick<OpenedFeed, 'topic'>[],
  options: { readonly scheduler: Scheduler; readonly log: Log },
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = feeds.map(({ topic }) =>
    runErrand({ everyMs: HEARTBEAT_MS, run: () => publishHeartbeat(topic) }, options, stopping.signal),
  );
  return {
    stop: async () => {
      stopping.abort();
      await Promise.allSettled(running);
    },
  };
}
