import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Services } from '../services.ts';
import type { Followed } from './followed.ts';
import { createLeaving, leave } from './leaving.ts';

const REQUEST_ID = /^[\w.-]{1,64}$/;

/** Gives a request its id, and says at its end what it was: one log line and one observation. */
export function followRequest(services: Services, request: Request, response: Response): Followed {
  const given = request.headers['request-id'];
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  const leaving = createLeaving();
  const follow: Followed = {
    requestId,
    startedAt: performance.now(),
    leaving,
    route: undefined,
    principal: undefined,
    work: undefined,
  };
  services.drain.begin(leaving);
  response.once('close', () => {
    if (!response.writableFinished) leave(leaving);
    const end = (): void => services.drain.end(leaving);
    if (follow.work === undefined) end();
    else follow.work.then(end, end);
    report(services, { request, response, follow });
  });
  return follow;
}

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
