import { setTimeout as sleep } from 'node:timers/promises';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import type { DemoStores, SteadyLoad } from './backing.ts';
import { quantile } from './quantile.ts';

const TICK_MS = 50;
const SUBJECT = 'freshness-probe';

export interface FreshnessMillis {
  readonly p50: number;
  readonly p99: number;
}

/** A few seconds of steady traffic: how long after its publishing is an event committed, and so readable? */
export async function measureFreshness(
  { topic, warehouse }: Pick<DemoStores, 'topic' | 'warehouse'>,
  { eventsPerSecond, seconds }: SteadyLoad,
): Promise<FreshnessMillis> {
  const from = Date.now();
  const perTick = (eventsPerSecond * TICK_MS) / 1_000;
  const ticks = (seconds * 1_000) / TICK_MS;
  const published = ticks * perTick;
  for (let tick = 0; tick < ticks; tick++) {
    await topic.publish(Array.from({ length: perTick }, (_, index) => probe(`${from}-${tick}-${index}`)));
    await sleep(Math.max(0, from + (tick + 1) * TICK_MS - Date.now()));
  }
  const range = {
    from: new Date(from - 1_000).toISOString(),
    to: new Date(Date.now() + 1_000).toISOString(),
  };
  let delays = await delaysIn(warehouse, range);
  for (; delays.length < published; delays = await delaysIn(warehouse, range)) await sleep(TICK_MS);
  delays.sort((a, b) => a - b);
  return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) };
}

/** From publishing to commit, of every probe that the warehouse has by now. */
async function delaysIn(
  warehouse: DemoStores['warehouse'],
  range: { readonly from: string; readonly to: string },
): Promise<number[]> {
  const { namespace } = LOCAL_FEED;
  const delays: number[] = [];
  for await (const row of warehouse.query('events_exact', { namespace, subjects: [SUBJECT], ...range }))
    delays.push(millisBetween(String(row['published_at']), String(row['committed_at'])));
  return delays;
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
