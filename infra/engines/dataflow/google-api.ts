import { z } from 'zod';
import type { Scheduler } from '#infra/scheduler.ts';

/** A request to one of Google's interfaces that does the same sent twice as sent once: it is sent again when its answer is lost. */
export interface GoogleRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  /** Bytes are sent as they are, anything else as JSON. */
  readonly body?: Uint8Array<ArrayBuffer> | object;
}

/** Resolves with the JSON of the answer. Throws GoogleApiError. */
export type CallGoogle = (request: GoogleRequest, signal?: AbortSignal) => Promise<unknown>;

export interface GoogleApiOptions {
  /** A token that is good now; kept and renewed by whoever gives it. */
  readonly accessToken: () => Promise<string>;
  readonly scheduler: Scheduler;
  /** From 0 to 1: spreads the calls of many that were refused together. */
  readonly chance?: () => number;
}

/** How often a request is sent at the most. */
const ATTEMPTS = 6;
const PAUSE_FIRST_MS = 1_000;
const PAUSE_LONGEST_MS = 32_000;
/** What one attempt may take; the largest body is a pipeline of a few megabytes. */
const TIMEOUT_MS = 60_000;
/** Answers after which the same request may well succeed; 408 and 5xx also say that it may have been done. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const MESSAGE_LENGTH_MAX = 2_000;

/** An answer that is no success. Without a status no answer came. */
export class GoogleApiError extends Error {
  readonly status: number | undefined;
  constructor(request: GoogleRequest, status: number | undefined, said: string, options?: ErrorOptions) {
    const { host, pathname } = request.url;
    super(`${request.method} ${host}${pathname}: ${status ?? 'no answer'}: ${said}`, options);
    this.name = 'GoogleApiError';
    this.status = status;
  }
}

const errorAnswer = z.object({ error: z.object({ message: z.string() }) });

/** The interfaces of Google Cloud over HTTP, with pauses that grow while they are overloaded or out of reach. */
export function openGoogleApi(options: GoogleApiOptions): CallGoogle {
  const { accessToken, scheduler, chance = Math.random } = options;
  return async (request, signal) => {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await send(request, await accessToken(), signal);
      if (!('fault' in outcome)) return outcome.answer;
      const { fault, retryAfterMs = 0 } = outcome;
      const passes = fault.status === undefined || PASSING.has(fault.status);
      if (!passes || attempt === ATTEMPTS || signal?.aborted) throw fault;
      const pauseMs = Math.min(PAUSE_FIRST_MS * 2 ** (attempt - 1), PAUSE_LONGEST_MS) * (0.5 + chance() / 2);
      await scheduler.sleep(Math.max(pauseMs, Math.min(retryAfterMs, PAUSE_LONGEST_MS)), signal);
      if (signal?.aborted) throw fault;
    }
  };
}

type Outcome =
  { readonly answer: unknown } | { readonly fault: GoogleApiError; readonly retryAfterMs?: number };

async function send(request: GoogleRequest, token: string, signal?: AbortSignal): Promise<Outcome> {
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: { authorization: `Bearer ${token}`, 'content-type': contentType(request) },
      ...(request.body === undefined ? {} : { body: bytesOf(request.body) }),
      // What is behind the URL is Google's own: it redirects nowhere that may see the token.
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
    });
    const text = await response.text();
    if (response.ok) return { answer: text === '' ? {} : (JSON.parse(text) as unknown) };
    const retryAfterMs = Number(response.headers.get('retry-after')) * 1_000 || 0;
    return { fault: new GoogleApiError(request, response.status, messageOf(text)), retryAfterMs };
  } catch (error) {
    return { fault: new GoogleApiError(request, undefined, String(error), { cause: error }) };
  }
}

const contentType = ({ body }: GoogleRequest): string =>
  body instanceof Uint8Array ? 'application/octet-stream' : 'application/json';

const bytesOf = (body: Uint8Array<ArrayBuffer> | object): Uint8Array<ArrayBuffer> | string =>
  body instanceof Uint8Array ? body : JSON.stringify(body);

/** What the answer says, or the beginning of it where it is not as Google's errors are, such as a page of a proxy. */
function messageOf(text: string): string {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return text.slice(0, MESSAGE_LENGTH_MAX);
  }
  const known = errorAnswer.safeParse(answer);
  return (known.success ? known.data.error.message : text).slice(0, MESSAGE_LENGTH_MAX);
}
