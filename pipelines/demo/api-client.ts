import { setTimeout as sleep } from 'node:timers/promises';

export interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object goes as JSON, bytes as they are. */
  readonly body?: object;
}

export interface ApiAnswer {
  readonly status: number;
  /** What was answered, parsed. */
  readonly body: unknown;
}

export interface ApiClient {
  /** Resolves with an answer that is success, or a refusal with one of these codes of a problem. Throws on any other. */
  send(request: ApiRequest, ...refusals: readonly string[]): Promise<ApiAnswer>;
  /** Resolves with the bytes of a document of this media type. Throws on anything else. */
  download(path: string, mediaType: string): Promise<Uint8Array>;
}

/** When the API says so: a key sends more than its limit, or a store does not answer. */
const COME_AGAIN = new Set([429, 503]);
const TRIES_MAX = 30;

/** A client as services have it: it sends with its key, and comes again when it is told to. */
export function createApiClient({ url, key }: { readonly url: string; readonly key: string }): ApiClient {
  const sendOnce = async ({ method, path, headers, body }: ApiRequest): Promise<Response> =>
    fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
    });
  const sendUntilTaken = async (request: ApiRequest): Promise<Response> => {
    let response = await sendOnce(request);
    for (let tries = 1; COME_AGAIN.has(response.status) && tries < TRIES_MAX; tries++) {
      await response.arrayBuffer();
      await sleep(Number(response.headers.get('retry-after') ?? 1) * 1_000);
      response = await sendOnce(request);
    }
    return response;
  };
  return {
    async send(request, ...refusals) {
      const response = await sendUntilTaken(request);
      const body: unknown = await response.json();
      if (!response.ok && !refusals.includes(codeOf(body))) throw unexpected(request, response.status, body);
      return { status: response.status, body };
    },
    async download(path, mediaType) {
      const request = { method: 'GET', path, headers: { accept: mediaType } } as const;
      const response = await sendUntilTaken(request);
      if (!response.ok || response.headers.get('content-type') !== mediaType)
        throw unexpected(request, response.status, await response.text());
      return response.bytes();
    },
  };
}

const codeOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : '';

const TOLD_MAX = 500;

const unexpected = ({ method, path }: ApiRequest, status: number, body: unknown): Error =>
  new Error(`${method} ${path} was answered ${status}: ${JSON.stringify(body).slice(0, TOLD_MAX)}`);
