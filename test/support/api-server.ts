import { pino } from 'pino';
import { startApi, type ApiOptions, type RunningApi } from '#api/start-api.ts';
import { SCOPES, type Scope } from '#domain/access/scope.ts';
import { createApiKey } from '#infra/access/api-keys.ts';
import type { BucketLimits } from '#infra/access/token-buckets.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { inLocalDirectory, openStores, type Cleanup } from './local-stores.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The document, when it is JSON; else undefined. */
  readonly body: unknown;
  readonly text: string;
}

export interface ApiCall {
  readonly method?: string;
  readonly path: string;
  /** Sent as JSON, unless it is bytes or text. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Another key than the one with all scopes in `default`; null sends none. */
  readonly key?: string | null;
}

/** The API on embedded stores, over real HTTP. */
export interface TestApi {
  readonly stores: LocalStores;
  readonly api: RunningApi;
  readonly directory: string;
  /** All scopes, in the namespace `default`. */
  readonly key: string;
  readonly cleanup: Cleanup;
  call(call: ApiCall): Promise<ApiAnswer>;
  makeKey(options?: { readonly namespace?: string; readonly scopes?: readonly Scope[] }): Promise<string>;
}

export interface TestApiOptions {
  readonly scheduler?: Scheduler;
  /** Stores that the API gets in place of the embedded ones, such as one that fails on demand. */
  readonly standIns?: (stores: LocalStores) => Partial<ApiOptions['stores']>;
  readonly keyLimits?: BucketLimits;
  /** Of the server, as far as they are not its own. */
  readonly server?: Partial<Pick<ApiOptions, 'log' | 'graceMs' | 'timeouts'>>;
}

/** Runs a test with the API and its stores below a temporary directory; both are ended whatever becomes of the test. */
export async function withApi(
  test: (on: TestApi) => Promise<void>,
  { scheduler = systemScheduler, standIns, keyLimits, server = {} }: TestApiOptions = {},
): Promise<void> {
  await inLocalDirectory(async (directory, cleanup) => {
    const stores = await openStores(directory);
    cleanup.defer(() => stores.close());
    const api = await startApi({
      stores: { ...stores, topic: stores.topics.api, feeds: stores.topics, ...standIns?.(stores) },
      scheduler,
      log: pino({ level: 'silent' }),
      host: '127.0.0.1',
      port: 0,
      graceMs: 2_000,
      ...(keyLimits && { keyLimits }),
      ...server,
    });
    cleanup.defer(() => api.close());
    const makeKey = keyMaker(stores, scheduler);
    const key = await makeKey();
    await test({
      stores,
      api,
      directory,
      key,
      cleanup,
      makeKey,
      call: (call) => callApi(api.url, key, call),
    });
  });
}

const keyMaker =
  ({ database }: LocalStores, scheduler: Scheduler): TestApi['makeKey'] =>
  async ({ namespace = 'default', scopes = SCOPES } = {}) => {
    const { result } = await database.transact((tx) =>
      createApiKey(tx, { namespace, name: 'test', scopes, now: scheduler.now() }),
    );
    return result.secret;
  };

export async function callApi(url: string, defaultKey: string, call: ApiCall): Promise<ApiAnswer> {
  const { method = 'GET', path, body, headers = {}, key = defaultKey } = call;
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = /[/+]json/.test(answer.headers.get('content-type') ?? '');
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}
