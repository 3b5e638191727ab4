import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { SCOPES } from '#domain/access/scope.ts';
import { createApiKey } from '#infra/access/api-keys.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { startApiProcess, type ApiProcess } from '#test/support/api-process.ts';
import { callApi, type ApiAnswer, type ApiCall } from '#test/support/api-server.ts';
import { drained, NAMESPACE, openStores, type Cleanup } from '#test/support/local-stores.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { startPipeline, type PipelineProcess } from '#test/support/pipeline-process.ts';
import type { SeededRandom } from '#test/support/seeded-random.ts';

export const CLIENTS = 32;
const APIS = 2;
/** What a hard limit grants, in units of which a reservation takes some. */
const LIMIT = 300;
const AMOUNT_MAX = 3;
const SOURCE = 'urn:race';
const TTL_SECONDS = 3_600;
const RETRY_MS = 20;

/** Two API processes and a pipeline on one set of stores, any of which may be killed while they are asked. */
export interface Race {
  readonly stores: LocalStores;
  /** Asks one of the processes, and again as long as none answers. */
  ask(call: ApiCall): Promise<ApiAnswer>;
  /** Asks every process the same at the same time. */
  askAll(call: ApiCall): Promise<ApiAnswer[]>;
  killApi(): Promise<void>;
  killPipeline(): Promise<void>;
  /** Everything published is committed. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRace(directory: string, cleanup: Cleanup, draw: SeededRandom): Promise<Race> {
  const stores = await openStores(directory);
  cleanup.defer(() => stores.close());
  const { result } = await stores.database.transact((tx) =>
    createApiKey(tx, { namespace: NAMESPACE, name: 'race', scopes: SCOPES, now: systemScheduler.now() }),
  );
  const started = <Process extends { kill(): Promise<unknown> }>(process: Process): Process => {
    cleanup.defer(() => process.kill());
    return process;
  };
  const apis = Array.from({ length: APIS }, () => started(startApiProcess({ directory })));
  let pipelines = 0;
  const nextPipeline = (): PipelineProcess =>
    started(startPipeline({ directory, worker: `worker-${pipelines++}` }));
  let pipeline = nextPipeline();
  await Promise.all([...apis.map(({ ready }) => ready), pipeline.ready]);
  const askOne = async (api: ApiProcess | undefined, call: ApiCall): Promise<ApiAnswer | undefined> => {
    const url = await api?.ready.catch(() => undefined);
    return url === undefined ? undefined : callApi(url, result.secret, call).catch(() => undefined);
  };
  const ask = async (call: ApiCall): Promise<ApiAnswer> => {
    for (;;) {
      const answer = await askOne(draw.pick(apis), call);
      if (answer !== undefined && !isUnderWay(answer)) return answer;
      await setTimeout(RETRY_MS);
    }
  };
  return {
    stores,
    ask,
    askAll: async (call) =>
      (await Promise.all(apis.map((api) => askOne(api, call)))).filter((answer) => answer !== undefined),
    killApi: async () => {
      const at = draw.below(apis.length);
      await apis[at]?.kill();
      apis[at] = started(startApiProcess({ directory }));
      await apis[at].ready;
    },
    killPipeline: async () => {
      await pipeline.kill();
      pipeline = nextPipeline();
      await pipeline.ready;
    },
    settled: () => drained({ ...stores, topic: stores.topics.api }, () => pipeline.errorText()),
    stop: async () => {
      for (const process of [...apis, pipeline])
        expect(await process.stop(), process.errorText()).to.deep.equal({ code: 0, signal: null });
    },
  };
}

/** Another of the processes, or one that was killed, may still hold what the request needs. */
const isUnderWay = ({ status, body }: ApiAnswer): boolean =>
  status === 503 || (body as { code?: string } | undefined)?.code === 'idempotency_key_in_flight';

const FEATURE = '/v1/customers/acme/entitlements/calls';

export async function prepareQuota({ ask }: Race): Promise<void> {
  const put = async (path: string, body: object): Promise<void> => {
    const answer = await ask({ method: 'PUT', path, body });
    expect(answer.status, answer.text).to.be.oneOf([200, 201]);
  };
  await put('/v1/meters/calls', { name: 'Calls', eventType: 'call', aggregation: 'sum', value: 'n' });
  await put('/v1/features/calls', { name: 'Calls', meter: 'calls' });
  await put('/v1/customers/acme', { name: 'Acme', subjects: ['acme'] });
  const limit = { key: 'month', amount: String(LIMIT), period: { every: 'P1M' }, overage: 'hard' };
  await put('/v1/customers/acme/limits/calls', { limits: [limit] });
}

/** What became of the reservations, as the clients were told. */
export interface Told {
  granted: number;
  refused: number;
  /** Units of events that were sent, and of holds that were not given back. */
  used: number;
  held: number;
}

/** Clients that reserve for the same limit, and then send the event, give back, take less, or leave it. */
export async function reserveTogether(race: Race, draw: SeededRandom, turns: number): Promise<Told> {
  const told: Told = { granted: 0, refused: 0, used: 0, held: 0 };
  const client = async (): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) await reserveOnce(race, draw, told);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return told;
}

async function reserveOnce(race: Race, draw: SeededRandom, told: Told): Promise<void> {
  const id = randomUUID();
  const amount = 1 + draw.below(AMOUNT_MAX);
  const answer = await reserve(race, id, amount);
  if (answer.status !== 201) {
    expect(answer.body, answer.text).to.include({ code: 'quota_exceeded' });
    told.refused++;
    return;
  }
  told.granted++;
  const { id: reservation } = answer.body as { id: string };
  const fate = draw.pick(['count', 'count', 'release', 'settle', 'leave'] as const);
  const change = async (verb: string, body?: object): Promise<void> => {
    const path = `/v1/reservations/${reservation}/${verb}`;
    const headers = { 'idempotency-key': id };
    const changed = await race.ask({ method: 'POST', path, headers, ...(body && { body }) });
    expect(changed.status, changed.text).to.equal(200);
  };
  if (fate === 'leave') told.held += amount;
  if (fate === 'release') await change('release');
  if (fate === 'settle') await change('settle', { actual: '1' });
  if (fate !== 'count' && fate !== 'settle') return;
  const value = fate === 'settle' ? 1 : amount;
  await send(race, id, value);
  told.used += value;
}

const reserve = (race: Race, id: string, amount: number): Promise<ApiAnswer> =>
  race.ask({
    method: 'POST',
    path: '/v1/customers/acme/reservations',
    body: {
      feature: 'calls',
      amount: String(amount),
      ttlSeconds: TTL_SECONDS,
      event: { source: SOURCE, id },
    },
  });

async function send({ ask }: Race, id: string, n: number): Promise<void> {
  const body = { specversion: '1.0', id, source: SOURCE, type: 'call', subject: 'acme', data: { n } };
  const answer = await ask({ method: 'POST', path: '/v1/events', body });
  expect(answer.status, answer.text).to.equal(202);
}

interface Entitlement {
  readonly used: string;
  readonly reserved: string;
  readonly remaining: string;
}

/** After the last units are taken too: what is used equals the cells, what is held is what was left, and both are the limit. */
export async function expectExact(race: Race, told: Told): Promise<void> {
  expect(told.used + told.held, 'granted beyond the limit').to.be.at.most(LIMIT);
  for (let free = LIMIT - told.used - told.held; free > 0; free--, told.held++)
    expect((await reserve(race, randomUUID(), 1)).status, `${free} units are free`).to.equal(201);
  expect((await reserve(race, randomUUID(), 1)).body).to.include({ code: 'quota_exceeded' });
  await race.settled();
  const { used, reserved, remaining } = (await race.ask({ path: FEATURE })).body as Entitlement;
  expect({ used, reserved, remaining }).to.deep.equal({
    used: String(told.used),
    reserved: String(told.held),
    remaining: '0',
  });
  const [from, to] = [-40, 2].map((days) => new Date(Date.now() + days * 86_400_000).toISOString());
  const query = new URLSearchParams({ meter: 'calls', subject: 'acme', from: from ?? '', to: to ?? '' });
  const usage = (await race.ask({ path: `/v1/usage?${query.toString()}` })).body as {
    rows: { value: string }[];
  };
  expect(
    usage.rows.map(({ value }) => value),
    'the cells',
  ).to.deep.equal([String(told.used)]);
}

/** One change under one key, asked of all processes at once: it is made once, and every answer is its first. */
export async function changeTogether({ ask, askAll }: Race, keys: number): Promise<void> {
  const raced = await Promise.all(
    Array.from({ length: keys }, async (_, at) => {
      const call = {
        method: 'POST',
        path: '/v1/api-keys',
        body: { name: `raced ${at}`, scopes: ['usage:read'] },
        headers: { 'idempotency-key': `raced-${at}` },
      };
      return [...(await askAll(call)), ...(await askAll(call)), await ask(call)];
    }),
  );
  const made: string[] = [];
  for (const answers of raced) {
    const done = answers.filter((answer) => !isUnderWay(answer));
    expect(new Set(done.map(({ status }) => status))).to.deep.equal(new Set([201]));
    const ids = new Set(done.map(({ body }) => (body as { id: string }).id));
    expect(ids.size, 'answers that name another key').to.equal(1);
    made.push(...ids);
  }
  const { items } = (await ask({ path: '/v1/api-keys?limit=200' })).body as {
    items: { id: string; name: string }[];
  };
  expect(items.filter(({ name }) => name.startsWith('raced')).map(({ id }) => id)).to.have.members(made);
}
