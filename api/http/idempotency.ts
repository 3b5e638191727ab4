import type { Request } from 'express';
import type { Principal } from '#domain/access/principal.ts';
import type { Transaction } from '#infra/database/database.ts';
import { runIdempotent } from '#infra/idempotency/run-idempotent.ts';
import {
  checkIdempotencyKey,
  hashRequest,
  IDEMPOTENCY_LIFE_OF_MONEY_MICROS,
  keepAnswer,
  readKept,
  type IdempotentRequest,
  type KeptAnswer,
} from '#infra/idempotency/with-idempotency.ts';
import type { Services } from '../services.ts';
import type { Answer } from './answer.ts';
import { problemOf } from './error-problem.ts';
import { problemDocument } from './problem.ts';
import type { Route } from './route.ts';

/** A request that may be the repetition of another. */
export interface Repetition {
  readonly services: Services;
  readonly route: Route;
  readonly principal: Principal;
  readonly request: Request;
}

const HEADER = 'idempotency-key';

/** Undefined when the request has none. Throws `invalid_idempotency_key`. */
export function idempotencyKeyOf(request: Request): string | undefined {
  const key = request.headers[HEADER];
  if (key === undefined) return undefined;
  const text = String(key);
  checkIdempotencyKey(text);
  return text;
}

/** Does the change in one transaction; with a key, its answer is kept in the same one. */
export async function withRememberedChange(
  repetition: Repetition,
  change: (tx: Transaction) => Promise<Answer>,
  remembered: (answer: Answer) => Answer = (answer) => answer,
): Promise<Answer> {
  const { services } = repetition;
  const asked = idempotentRequest(repetition);
  if (asked === undefined) return (await services.database.transact(change)).result;
  const { replayed, answer } = await runIdempotent({
    database: services.database,
    inFlight: services.inFlight,
    request: asked,
    work: async (tx) => {
      const made = await change(tx);
      return { answer: { ...toKept(made), made }, kept: toKept(remembered(made)) };
    },
    refusalOf,
  });
  return 'made' in answer ? answer.made : toAnswer(answer, replayed);
}

/** For work that is more than one transaction and harmless to repeat: its answer is kept when it is done. */
export async function withRememberedAnswer(
  repetition: Repetition,
  handle: () => Promise<Answer>,
): Promise<Answer> {
  const { database, inFlight } = repetition.services;
  const asked = idempotentRequest(repetition);
  if (asked === undefined) return handle();
  return inFlight.run(asked, async () => {
    const { result: kept } = await database.transact((tx) => readKept(tx, asked));
    if (kept !== undefined) return toAnswer(kept, true);
    const { answer, keep } = await settle(handle);
    if (keep) await database.transact(async (tx) => keepAnswer(tx, asked, toKept(answer)));
    return answer;
  });
}

async function settle(handle: () => Promise<Answer>): Promise<{ answer: Answer; keep: boolean }> {
  try {
    return { answer: await handle(), keep: true };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { answer: toAnswer(refusal, false), keep: true };
  }
}

function idempotentRequest({
  services,
  route,
  principal,
  request,
}: Repetition): IdempotentRequest | undefined {
  const key = idempotencyKeyOf(request);
  if (key === undefined) return undefined;
  return {
    namespace: principal.namespace,
    principal: principal.keyId,
    route: `${route.method.toUpperCase()} ${route.path}`,
    key,
    requestHash: hashRequest(request.url, Buffer.isBuffer(request.body) ? request.body : ''),
    now: services.scheduler.now(),
    ...(route.ofMoney === true ? { lifeMicros: IDEMPOTENCY_LIFE_OF_MONEY_MICROS } : {}),
  };
}

/** A refusal by our own rules is as good an answer as any; what failed on our side is not. */
function refusalOf(error: unknown): KeptAnswer | undefined {
  const problem = problemOf(error);
  if (problem.status >= 500 || NOT_KEPT.has(problem.code)) return undefined;
  return { status: problem.status, headers: problem.headers, body: problemDocument(problem) };
}

/** What is said about the key itself is no answer to the request. */
const NOT_KEPT: ReadonlySet<string> = new Set(['idempotency_key_reused', 'idempotency_key_in_flight']);

const toKept = ({ status, headers, body }: Answer): KeptAnswer => ({
  status,
  headers,
  body: body.kind === 'json' ? body.value : null,
});

const FIRST_PROBLEM = 400;

function toAnswer({ status, headers, body }: KeptAnswer, replayed: boolean): Answer {
  return {
    status,
    headers: { ...headers, ...(replayed ? { 'Idempotent-Replayed': 'true' } : {}) },
    body:
      status === 204
        ? { kind: 'none' }
        : {
            kind: 'json',
            value: body,
            ...(status >= FIRST_PROBLEM ? { contentType: 'application/problem+json' } : {}),
          },
  };
}
