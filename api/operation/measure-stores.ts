import { MICROS_PER_SECOND } from '#domain/instant.ts';
import type { Services } from '../services.ts';

/** Brings the gauges of the feeds up to date; one that does not answer is left out, since its absence is the alarm. */
export async function measureStores({ feeds, metrics, scheduler }: Services): Promise<void> {
  const seen = await Promise.all(
    Object.entries(feeds).map(async ([feed, source]) => {
      const backlog = await source.backlog().catch(() => undefined);
      return backlog === undefined ? [] : [{ labels: { feed }, ...backlog }];
    }),
  );
  const now = scheduler.now();
  metrics.setGauge(
    'millrace_feed_backlog_messages',
    'Messages published and not yet committed.',
    seen.flat().map(({ labels, messages }) => ({ labels, value: messages })),
  );
  metrics.setGauge(
    'millrace_feed_oldest_unacknowledged_seconds',
    'Age of the oldest message not yet committed; 0 when there is none.',
    seen.flat().map(({ labels, oldest }) => ({
      labels,
      value: oldest === undefined ? 0 : Math.max(0, now - oldest) / MICROS_PER_SECOND,
    })),
  );
}
