import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Services } from '../services.ts';
import { followed, type Followed } from './followed.ts';
import { createLeaving } from './leaving.ts';

const REQUEST_ID = /^[\w.-]{1,64}$/;

/** Gives every request its id, and says at its end what it was: one log line and one observation. */
export const followRequest =
  (services: Services): RequestHandler =>
  (request, response, next) => {
    const given = request.headers['request-id'];
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    const leaving = createLeaving();
    const follow: Followed = { requestId, startedAt: performance.now(), leaving };
    followed.set(response, follow);
    response.setHeader('Request-Id', requestId);
    response.setHeader('Cache-Control', 'no-store');
    services.drain.begin(leaving);
    response.once('close', () => {
      if (!response.writableFinished) leaving.abort();
      const end = (): void => services.drain.end(leaving);
      if (follow.work === undefined) end();
      else follow.work.then(end, end);
      report(services, { request, response, follow });
    });
    next();
  };

interface Finished {
  readonly request: Request;
  readonly response: Response;
  readonly follow: Followed;
}

function report({ log, metrics }: Services, { request, response, follow }: Finished): void {
  const { route, principal, requestId, startedAt } = follow;
  const latencyMs = performance.now() - startedAt;
  // A connection that closed before the answer was whole has no status of its own.
  const status = response.writableFinished ? response.statusCode : CLIENT_CLOSED;
  metrics.observeRequest({ route: route?.name ?? 'none', method: request.method, status, latencyMs });
  const level = status >= 500 ? 'error' : route?.quiet === true ? 'debug' : 'info';
  log[level](
    {
      requestId,
      method: request.method,
      route: route?.path,
      status,
      latencyMs: Math.round(latencyMs * 1_000) / 1_000,
      namespace: principal?.namespace,
      keyId: principal?.keyId,
    },
    'request',
  );
}

/** As some servers log it: the client did not wait for the answer. */
const CLIENT_CLOSED = 499;
