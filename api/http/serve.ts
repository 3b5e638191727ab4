import type { Request, Response } from 'express';
import type { Principal } from '#domain/access/principal.ts';
import type { Scope } from '#domain/access/scope.ts';
import type { Services } from '../services.ts';
import type { Answer } from './answer.ts';
import type { Followed } from './followed.ts';
import { withRememberedAnswer, withRememberedChange } from './idempotency.ts';
import { signalOf } from './leaving.ts';
import { Problem } from './problem.ts';
import { readInputs } from './read-inputs.ts';
import type { FoundRoute } from './route-table.ts';
import type { Route } from './route.ts';
import { sendAnswer } from './send-answer.ts';

/** A request that is on its way, and where its answer goes. */
export interface Arrived {
  readonly request: Request;
  readonly response: Response;
  readonly follow: Followed;
}

/** Finds out who asks, and whether the key may. Throws the problems `unauthenticated` and `scope_missing`. */
export function authorize(
  services: Services,
  scope: Scope,
  { request, follow }: Arrived,
): Promise<void> | void {
  const found = authenticate(services, request);
  if (found instanceof Promise) return found.then((principal) => admit(follow, scope, principal));
  admit(follow, scope, found);
}

function admit(follow: Followed, scope: Scope, principal: Principal | undefined): void {
  if (principal === undefined)
    throw new Problem('unauthenticated', 'the request has no valid API key', {
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  follow.principal = principal;
  if (!principal.scopes.includes(scope))
    throw new Problem('scope_missing', `this call needs a key with the scope ${scope}`);
}

const BEARER = /^Bearer +(\S+)$/i;

function authenticate(
  { keys, scheduler }: Services,
  request: Request,
): Principal | undefined | Promise<Principal | undefined> {
  const secret = BEARER.exec(request.headers.authorization ?? '')?.[1];
  return secret === undefined ? undefined : keys.authenticate(secret, scheduler.now());
}

/** Reads the request as its route declares it, does the work and sends the answer. */
export async function serve(services: Services, found: FoundRoute, arrived: Arrived): Promise<void> {
  const { route, parameters } = found;
  const { request, response, follow } = arrived;
  const { requestId, principal, leaving } = follow;
  const { path, query, body } = readInputs(route, parameters, request);
  const asked = {
    path,
    query,
    body,
    requestId,
    now: services.scheduler.now(),
    signal: () => signalOf(leaving),
    headers: request.headers,
    principal,
    namespace: principal?.namespace,
  };
  await sendAnswer(response, requestId, await work(services, route, { asked, request, principal }));
}

interface Asked {
  /** Shaped by `readInputs` after the route's own schemas, which is why its type may be forgotten. */
  readonly asked: object;
  readonly request: Request;
  readonly principal: Principal | undefined;
}

function work(
  services: Services,
  route: Route,
  { asked, request, principal }: Asked,
): Answer | Promise<Answer> {
  const { work: todo } = route;
  const typed = asked as never;
  if (todo.kind === 'open') return todo.handle(services, typed);
  if (principal === undefined) throw new Error(`${route.name} is served without a principal`);
  const repetition = { services, route, principal, request };
  if (todo.kind === 'change') return workInTransaction(todo, repetition, typed);
  const handle = (): Promise<Answer> => todo.handle(services, typed);
  return todo.idempotent ? withRememberedAnswer(repetition, handle) : handle();
}

async function workInTransaction(
  { prepare, change, remembered, committed }: Route['work'] & { readonly kind: 'change' },
  repetition: Parameters<typeof withRememberedChange>[0],
  typed: never,
): Promise<Answer> {
  const { services } = repetition;
  const prepared = (await prepare?.(services, typed)) as never;
  const remember = remembered === undefined ? undefined : (answer: Answer) => remembered(answer as never);
  const answer = await withRememberedChange(
    repetition,
    (tx) => change(tx, typed, services, prepared),
    remember,
  );
  committed?.(services, typed);
  return answer;
}
