import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import type { Services } from '../services.ts';
import { followRequest } from './follow-request.ts';
import { followedOf } from './followed.ts';
import { problemOf } from './error-problem.ts';
import { Problem } from './problem.ts';
import { invalidRequest } from './read-inputs.ts';
import type { Method, Route } from './route.ts';
import { securityHeaders } from './security-headers.ts';
import { sendProblem } from './send-answer.ts';
import { authorize, serve } from './serve.ts';

/** The Express application: every route with its steps, and problems for whatever has no route. */
export function createApp(services: Services, routes: readonly Route[]): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Query strings are read by each route's own declaration.
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.use(securityHeaders());
  app.use(followRequest(services));
  for (const route of routes) app[route.method](expressPath(route.path), ...stepsOf(services, route));
  for (const [path, methods] of methodsByPath(routes)) app.all(path, refuseMethod(methods));
  app.use(() => {
    throw new Problem('not_found', 'there is no such path');
  });
  app.use(answerError(services));
  return app;
}

/** `/v1/meters/{key}` is `/v1/meters/:key` to Express. */
const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** The key is judged before the body is read, so that nobody without one can make us read. */
function stepsOf(services: Services, route: Route): RequestHandler[] {
  const steps: RequestHandler[] = [
    async (request, response, next) => {
      refuseUnclearHost(request);
      await authorize(services, route, { request, response });
      next();
    },
  ];
  if (route.body !== undefined)
    steps.push(express.raw({ type: () => true, limit: route.body.bytesMax, inflate: true }));
  steps.push((request, response) => {
    const work = serve(services, route, { request, response });
    followedOf(response).work = work;
    return work;
  });
  return steps;
}

/** RFC 9112, 3.2: a proxy in front of us may have taken another of several Hosts for the one that is meant. */
function refuseUnclearHost({ httpVersion, rawHeaders }: Request): void {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') count++;
  if (count === 1 || (count === 0 && httpVersion === '1.0')) return;
  const message = 'must be there exactly once';
  throw invalidRequest([{ pointer: 'header:Host', code: 'invalid_host', message }]);
}

function methodsByPath(routes: readonly Route[]): Map<string, Method[]> {
  const methods = new Map<string, Method[]>();
  for (const { path, method } of routes) {
    const known = methods.get(expressPath(path)) ?? [];
    methods.set(expressPath(path), [...known, method]);
  }
  return methods;
}

function refuseMethod(methods: readonly Method[]): RequestHandler {
  const allowed = methods.map((method) => method.toUpperCase()).join(', ');
  return () => {
    throw new Problem('method_not_allowed', `the path takes ${allowed}`, { headers: { Allow: allowed } });
  };
}

const answerError =
  ({ log }: Services): ErrorRequestHandler =>
  (error: unknown, _request, response, _next) => {
    const problem = problemOf(error);
    if (problem.cause !== undefined)
      log.error({ err: problem.cause, requestId: response.getHeader('Request-Id') }, problem.message);
    // The client closed the connection in the middle of its own request: nobody is left to answer.
    if (response.destroyed) return;
    sendProblem(response, problem);
  };
