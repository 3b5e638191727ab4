import { summarise, type Figure } from '../figure.ts';
import { makeWorkload } from '../workload.ts';
import { createClient, quantile, sendAll, sendSteadily, type Client, type Shot } from './client.ts';
import { batchesOf, bodyOf, eventBytesOf, eventCount, type EventBytes } from './event-bytes.ts';
import { startBareServer, startPlatform, type Platform, type ServerProcess } from './platform.ts';
import { startProducer } from './start-producer.ts';

const CUSTOMERS = 100;
const CHECKS_PER_SECOND = 500;
const RESERVATIONS_PER_SECOND = 100;
const EVENTS_PER_SECOND = 5_000;
/** Compiled and cached first: what is measured is a server that has been up for a while. */
const WARM_UP_REQUESTS = 3_000;
const CONNECTIONS = 16;

export interface HttpBench {
  readonly seconds: number;
  readonly requests: number;
  readonly events: number;
  readonly record: (figure: Figure) => void;
}

type InDirectory = (work: (directory: string) => Promise<void>) => Promise<void>;

/** Checks and reservations at a steady rate while events flow; CPU per check; ingest by batch size. */
export async function benchHttp(bench: HttpBench & { readonly inDirectory: InDirectory }): Promise<void> {
  await bench.inDirectory((directory) => benchUnderLoad(bench, directory));
  await bench.inDirectory((directory) => benchCheckCpu(bench, directory));
  await bench.inDirectory((directory) => benchIngest(bench, directory));
}

const authorized = (key: string): Record<string, string> => ({
  authorization: `Bearer ${key}`,
  'content-type': 'application/json',
});

/** A meter, a feature and customers with a hard limit each, made as a user would make them. */
async function prepareQuotas({ api, key }: Platform): Promise<void> {
  const client = createClient(api.url, 1);
  const put = (path: string, body: object, status: number): Promise<number> =>
    client.send({ method: 'PUT', path, body: JSON.stringify(body), headers: authorized(key), status }, 0);
  const meter = { name: 'Tokens', eventType: 'llm.request', aggregation: 'sum', value: 'tokens' };
  await put('/v1/meters/tokens', meter, 201);
  await put('/v1/features/tokens', { name: 'Tokens', meter: 'tokens' }, 201);
  const limits = [{ key: 'monthly', amount: '1000000000', period: { every: 'P1M' }, overage: 'hard' }];
  for (let index = 0; index < CUSTOMERS; index++) {
    await put(`/v1/customers/c-${index}`, { name: `c-${index}`, subjects: [`s-${index}`] }, 201);
    await put(`/v1/customers/c-${index}/limits/tokens`, { limits }, 200);
  }
  client.close();
}

const checkShot =
  (key: string) =>
  (index: number): Shot => ({
    method: 'GET',
    path: `/v1/customers/c-${index % CUSTOMERS}/entitlements/tokens`,
    headers: authorized(key),
    status: 200,
  });

const reserveShot =
  (key: string) =>
  (index: number): Shot => ({
    method: 'POST',
    path: `/v1/customers/c-${index % CUSTOMERS}/reservations`,
    body: JSON.stringify({
      feature: 'tokens',
      amount: '5',
      ttlSeconds: 60,
      event: { source: 'urn:bench', id: `r-${process.hrtime.bigint()}` },
    }),
    headers: authorized(key),
    status: 201,
  });

async function benchUnderLoad({ seconds, record }: HttpBench, directory: string): Promise<void> {
  const platform = await startPlatform(directory, { pipeline: true });
  const producer = await startProducer(directory);
  const { api, key } = platform;
  try {
    await prepareQuotas(platform);
    const client = createClient(api.url, CONNECTIONS);
    await sendAll(client, checkShot(key), { count: WARM_UP_REQUESTS, connections: CONNECTIONS });
    await sendAll(client, reserveShot(key), { count: WARM_UP_REQUESTS, connections: CONNECTIONS });
    const [checks, reservations, freshness] = await Promise.all([
      sendSteadily(client, checkShot(key), { perSecond: CHECKS_PER_SECOND, seconds }),
      sendSteadily(client, reserveShot(key), { perSecond: RESERVATIONS_PER_SECOND, seconds }),
      producer.produce({ eventsPerSecond: EVENTS_PER_SECOND, seconds }),
    ]);
    client.close();
    recordLatency(record, `check at ${CHECKS_PER_SECOND}/s`, checks);
    recordLatency(record, `reserve at ${RESERVATIONS_PER_SECOND}/s`, reservations);
    record(summarise('freshness under that load, p50', 'ms', [freshness.p50]));
    record(summarise('freshness under that load, p99', 'ms', [freshness.p99]));
  } finally {
    await producer.stop();
    await platform.stop();
  }
}

function recordLatency(record: HttpBench['record'], name: string, latencies: Float64Array): void {
  const load = `while ${EVENTS_PER_SECOND.toLocaleString('en-US')} events/s flow`;
  record(summarise(`${name} ${load}, p50`, 'ms', [quantile(latencies, 0.5)]));
  record(summarise(`${name} ${load}, p99`, 'ms', [quantile(latencies, 0.99)]));
}

const BARE_SHOT: Shot = { method: 'GET', path: '/', status: 200 };

/** CPU of the server for each request, as fast as answers come; the three in turn, so that all meet the same machine. */
async function benchCheckCpu({ requests, record }: HttpBench, directory: string): Promise<void> {
  const platform = await startPlatform(directory, { pipeline: false });
  const bareExpress = await startBareServer('express');
  const bareHttp = await startBareServer('http');
  try {
    await prepareQuotas(platform);
    const rounds = { check: [] as number[], express: [] as number[], http: [] as number[] };
    for (let round = 0; round <= ROUNDS; round++) {
      const check = await microsPerRequest(platform.api, checkShot(platform.key), requests);
      const express = await microsPerRequest(bareExpress, () => BARE_SHOT, requests);
      const http = await microsPerRequest(bareHttp, () => BARE_SHOT, requests);
      // The first round warms up.
      if (round === 0) continue;
      rounds.check.push(check);
      rounds.express.push(express);
      rounds.http.push(http);
    }
    const express = summarise('bare Express route, 200 bytes, CPU a request', 'us', rounds.express);
    const check = summarise('quota check, CPU a request', 'us', rounds.check);
    record(summarise('bare node:http, 200 bytes, CPU a request', 'us', rounds.http));
    record(express);
    record({ ...check, peer: 'bare Express route (less is better)', ratio: check.value / express.value });
  } finally {
    await bareHttp.stop();
    await bareExpress.stop();
    await platform.stop();
  }
}

const ROUNDS = 3;

async function microsPerRequest(
  server: ServerProcess,
  shots: (index: number) => Shot,
  count: number,
): Promise<number> {
  const client = createClient(server.url, CONNECTIONS);
  const before = await server.cpuSeconds();
  await sendAll(client, shots, { count, connections: CONNECTIONS });
  const after = await server.cpuSeconds();
  client.close();
  return ((after - before) * 1e6) / count;
}

const BATCH_SIZES = [1, 100, 1_000] as const;
/** Single events cost a request each, so fewer of them are sent. */
const SINGLE_EVENTS_SHARE = 50;

async function benchIngest({ events, record }: HttpBench, directory: string): Promise<void> {
  const platform = await startPlatform(directory, { pipeline: false });
  const client = createClient(platform.api.url, CONNECTIONS);
  try {
    const load = eventBytesOf(makeWorkload({ events, subjects: 1_000, now: Date.now() }));
    const topic = await topicRate(platform, load);
    record(summarise('topic alone, 1,000 messages a publish', 'events/s', [topic]));
    for (const size of BATCH_SIZES) {
      const sent = size === 1 ? Math.floor(events / SINGLE_EVENTS_SHARE) : events;
      const bodies = Array.from(batchesOf(load, sent, size), bodyOf);
      const rate = sent / (await ingestSeconds(client, platform.key, bodies));
      record({
        ...summarise(`ingest over HTTP, ${size.toLocaleString('en-US')} events a request`, 'events/s', [
          rate,
        ]),
        peer: 'topic alone',
        ratio: rate / topic,
      });
    }
  } finally {
    client.close();
    await platform.stop();
  }
}

const PUBLISHERS = 4;

/** As many publishers at once as keep the topic busy. */
async function topicRate({ stores }: Platform, load: EventBytes): Promise<number> {
  const count = eventCount(load);
  const batches = Array.from(batchesOf(load, count, 1_000), (batch) => batch.map((data) => ({ data })));
  const startedAt = performance.now();
  let next = 0;
  const publish = async (): Promise<void> => {
    for (let batch = batches[next++]; batch !== undefined; batch = batches[next++])
      await stores.topics.api.publish(batch);
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, publish));
  return (count * 1_000) / (performance.now() - startedAt);
}

function ingestSeconds(client: Client, key: string, bodies: readonly Buffer[]): Promise<number> {
  const headers = { ...authorized(key), 'content-type': 'application/cloudevents-batch+json' };
  const shots = (index: number): Shot => ({
    method: 'POST',
    path: '/v1/events',
    body: bodies[index] ?? '[]',
    headers,
    status: 202,
  });
  return sendAll(client, shots, { count: bodies.length, connections: CONNECTIONS });
}
