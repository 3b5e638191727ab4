import express, { type Express, type Request } from 'express';
import { SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api';
import { inSpan, isTracing } from '#infra/telemetry/spans.ts';
import type { Services } from '../services.ts';
import { problemOf } from './error-problem.ts';
import { followRequest } from './follow-request.ts';
import { invalidRequest } from './read-inputs.ts';
import { createRouteTable, type FindRoute } from './route-table.ts';
import type { Route } from './route.ts';
import { sendProblem } from './send-answer.ts';
import { authorize, serve, type Arrived } from './serve.ts';
import { createBodyReader, type ReadBody } from './read-body.ts';

/** The Express application. Its one handler takes every request through its steps: Express' own routing asks route after route. */
export function createApp(services: Services, routes: readonly Route[]): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Query strings are read by each route's own declaration.
  app.set('query parser', false);
  const steps: Steps = { services, findRoute: createRouteTable(routes), readBody: createBodyReader() };
  app.use((request, response) => {
    const follow = followRequest(services, request, response);
    const arrived = { request, response, follow };
    follow.work = isTracing() ? answerTraced(steps, arrived) : answer(steps, arrived);
  });
  return app;
}

interface Steps {
  readonly services: Services;
  readonly findRoute: FindRoute;
  readonly readBody: ReadBody;
}

/** A span a request, named by its route: what was asked for in particular is nobody's business but the customer's. */
const answerTraced = (steps: Steps, arrived: Arrived): Promise<void> =>
  inSpan(arrived.request.method, { kind: SpanKind.SERVER }, async (span) => {
    await answer(steps, arrived);
    describe(span, arrived);
  });

function describe(span: Span, { request, response, follow }: Arrived): void {
  const { route, requestId } = follow;
  span.updateName(`${request.method} ${route?.path ?? 'no route'}`);
  span.setAttributes({
    'http.request.method': request.method,
    'http.route': route?.path ?? '',
    'http.response.status_code': response.statusCode,
    'millrace.request_id': requestId,
  });
  if (response.statusCode >= SERVER_FAULT) span.setStatus({ code: SpanStatusCode.ERROR });
}
const SERVER_FAULT = 500;

/** Answers a request with what its route says or with a problem. Nothing is thrown: nobody would be there to catch it. */
async function answer(steps: Steps, arrived: Arrived): Promise<void> {
  const { log } = steps.services;
  try {
    await answerByRoute(steps, arrived);
  } catch (error) {
    try {
      answerError(log, arrived, error);
    } catch (fault) {
      log.error({ err: fault, requestId: arrived.follow.requestId }, 'a problem could not be answered');
      arrived.response.destroy();
    }
  }
}

/** The key is judged before the body is read, so that nobody without one can make us read. */
async function answerByRoute({ services, findRoute, readBody }: Steps, arrived: Arrived): Promise<void> {
  const { request, response, follow } = arrived;
  const found = findRoute(request.method, request.url);
  const { scope, body } = (follow.route = found.route);
  refuseUnclearHost(request);
  // A key that is known is judged at once: waiting for nothing costs a turn of the queue of promises.
  const judging = scope === 'open' ? undefined : authorize(services, scope, arrived);
  if (judging !== undefined) await judging;
  if (body !== undefined) await readBody(body, request, response);
  await serve(services, found, arrived);
}

/** RFC 9112, 3.2: a proxy in front of us may have taken another of several Hosts for the one that is meant. */
function refuseUnclearHost({ httpVersion, rawHeaders }: Request): void {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === HOST.length && name.toLowerCase() === HOST) count++;
  }
  if (count === 1 || (count === 0 && httpVersion === '1.0')) return;
  const message = 'must be there exactly once';
  throw invalidRequest([{ pointer: 'header:Host', code: 'invalid_host', message }]);
}

const HOST = 'host';

function answerError(log: Services['log'], { response, follow }: Arrived, error: unknown): void {
  const problem = problemOf(error);
  if (problem.cause !== undefined)
    log.error({ err: problem.cause, requestId: follow.requestId }, problem.message);
  // The client closed the connection in the middle of its own request: nobody is left to answer.
  if (response.destroyed) return;
  sendProblem(response, follow.requestId, problem);
}
