import { setTimeout as sleep } from 'node:timers/promises';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { LOCAL_FEED, type LocalStores } from '#infra/local/open-local.ts';
import { quantile } from './quantile.ts';

const TICK_MS = 50;
const SUBJECT = 'freshness-probe';

/** What the demo measures freshness at. */
export const STEADY_LOAD = { eventsPerSecond: 2_000, seconds: 3 };

export interface FreshnessMillis {
  readonly p50: number;
  readonly p99: number;
}

/** A few seconds of steady traffic: how long after its publishing is an event committed, and so readable? */
export async function measureFreshness(
  { topic, warehouse }: LocalStores,
  { eventsPerSecond, seconds }: { eventsPerSecond: number; seconds: number },
): Promise<FreshnessMillis> {
  const from = Date.now();
  const perTick = (eventsPerSecond * TICK_MS) / 1_000;
  for (let tick = 0; tick < (seconds * 1_000) / TICK_MS; tick++) {
    await topic.publish(Array.from({ length: perTick }, (_, index) => probe(`${from}-${tick}-${index}`)));
    await sleep(Math.max(0, from + (tick + 1) * TICK_MS - Date.now()));
  }
  while ((await topic.backlog()).messages > 0) await sleep(TICK_MS);
  const delays: number[] = [];
  const range = {
    from: new Date(from - 1_000).toISOString(),
    to: new Date(Date.now() + 1_000).toISOString(),
  };
  const rows = warehouse.query('events_exact', {
    namespace: LOCAL_FEED.namespace,
    subjects: [SUBJECT],
    ...range,
  });
  for await (const row of rows)
    delays.push(millisBetween(String(row['published_at']), String(row['committed_at'])));
  delays.sort((a, b) => a - b);
  return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) };
}

const probe = (id: string): { data: Buffer } => ({
  data: Buffer.from(
    JSON.stringify({
      specversion: '1.0',
      id,
      source: 'urn:demo',
      type: 'probe',
      subject: SUBJECT,
      time: new Date().toISOString(),
    }),
  ),
});

const millisBetween = (a: string, b: string): number =>
  ((parseRfc3339(b)?.at ?? 0) - (parseRfc3339(a)?.at ?? 0)) / 1_000;
