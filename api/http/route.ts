import type { z } from 'zod';
import type { Principal } from '#domain/access/principal.ts';
import type { Scope } from '#domain/access/scope.ts';
import type { Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { Services } from '../services.ts';
import type { Answer, AnswersOf, DeclaredAnswers } from './answer.ts';
import type { Body, BodyOf } from './body.ts';
import type { ProblemCode } from './problem-codes.ts';

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

/** What every request knows, whoever sent it. */
export interface RequestContext {
  readonly requestId: string;
  readonly now: Instant;
  /** Gives what is aborted when the client has gone, or when a stopping server waits no longer; made once somebody asks. */
  readonly signal: () => AbortSignal;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

export interface OpenRequest<Path, Query, Sent> extends RequestContext {
  readonly path: Parsed<Path>;
  readonly query: Parsed<Query>;
  readonly body: BodyOf<Sent>;
}

export interface KeyedRequest<Path, Query, Sent> extends OpenRequest<Path, Query, Sent> {
  readonly principal: Principal;
  /** The namespace of the key: the only one the request can see. */
  readonly namespace: string;
}

type PathSchema = z.ZodObject | undefined;
type QuerySchema = z.ZodObject | undefined;
type BodyDeclaration = Body | undefined;

interface Described<Path, Query, Sent, Answers> {
  readonly method: Method;
  /** As OpenAPI writes it: `/v1/meters/{key}`. */
  readonly path: string;
  /** Names the call in the OpenAPI document and in metrics: `putMeter`. */
  readonly name: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: { readonly path?: Path; readonly query?: Query };
  readonly body?: Sent;
  readonly answers: Answers;
  /** What can go wrong besides what can go wrong with every call. */
  readonly problems?: readonly ProblemCode[];
  /** Called so often that each call is logged at level debug only. */
  readonly quiet?: boolean;
  /** It makes or changes what is owed: the answer under an `Idempotency-Key` is kept for 30 days, not for one. */
  readonly ofMoney?: boolean;
}

export interface OpenDeclaration<Path, Query, Sent, Answers> extends Described<Path, Query, Sent, Answers> {
  readonly handle: (
    services: Services,
    request: OpenRequest<Path, Query, Sent>,
  ) => Promise<AnswersOf<Answers>> | AnswersOf<Answers>;
}

export interface KeyedDeclaration<Path, Query, Sent, Answers> extends Described<Path, Query, Sent, Answers> {
  readonly scope: Scope;
  readonly handle: (
    services: Services,
    request: KeyedRequest<Path, Query, Sent>,
  ) => Promise<AnswersOf<Answers>>;
  /**
   * For a call that changes something outside one transaction and is harmless to repeat: an `Idempotency-Key` gives the first answer
   * again, stored after the change.
   */
  readonly idempotent?: boolean;
}

export interface ChangeDeclaration<Path, Query, Sent, Answers, Prepared> extends Described<
  Path,
  Query,
  Sent,
  Answers
> {
  readonly scope: Scope;
  /** What has to be asked elsewhere before the transaction, which must be short. */
  readonly prepare?: (services: Services, request: KeyedRequest<Path, Query, Sent>) => Promise<Prepared>;
  /** Runs inside the transaction that also stores the answer under the request's `Idempotency-Key`. It may run again. */
  readonly change: (
    tx: Transaction,
    request: KeyedRequest<Path, Query, Sent>,
    services: Services,
    prepared: Prepared,
  ) => Promise<AnswersOf<Answers>>;
  /** What of an answer may be stored for repetitions; a secret may not. */
  readonly remembered?: (answer: AnswersOf<Answers>) => Answer;
  /** Called after the change is committed, for what this process remembers; a repeated call may call it again. */
  readonly committed?: (services: Services, request: KeyedRequest<Path, Query, Sent>) => void;
}

/** A route with its types forgotten, as the server and the OpenAPI document take it. */
export interface Route extends Described<PathSchema, QuerySchema, BodyDeclaration, DeclaredAnswers> {
  /** `open`: without a key. */
  readonly scope: Scope | 'open';
  readonly work:
    | {
        readonly kind: 'open';
        readonly handle: (services: Services, request: never) => Promise<Answer> | Answer;
      }
    | {
        readonly kind: 'handle';
        readonly handle: (services: Services, request: never) => Promise<Answer>;
        readonly idempotent: boolean;
      }
    | {
        readonly kind: 'change';
        readonly prepare: ((services: Services, request: never) => Promise<unknown>) | undefined;
        readonly change: (
          tx: Transaction,
          request: never,
          services: Services,
          prepared: never,
        ) => Promise<Answer>;
        readonly remembered: ((answer: never) => Answer) | undefined;
        readonly committed: ((services: Services, request: never) => void) | undefined;
      };
}

/** Declares a call that needs no key. */
export function openRoute<
  const Path extends PathSchema,
  const Query extends QuerySchema,
  const Sent extends BodyDeclaration,
  const Answers extends DeclaredAnswers,
>(declaration: OpenDeclaration<Path, Query, Sent, Answers>): Route {
  const { handle, ...described } = declaration;
  return { ...described, scope: 'open', work: { kind: 'open', handle } };
}

/** Declares a call that reads or calculates, or that changes something by other means than one transaction. */
export function route<
  const Path extends PathSchema,
  const Query extends QuerySchema,
  const Sent extends BodyDeclaration,
  const Answers extends DeclaredAnswers,
>(declaration: KeyedDeclaration<Path, Query, Sent, Answers>): Route {
  const { handle, idempotent = false, ...described } = declaration;
  return { ...described, work: { kind: 'handle', handle, idempotent } };
}

/** Declares a call whose change is one transaction. It takes an `Idempotency-Key`. */
export function changeRoute<
  const Path extends PathSchema,
  const Query extends QuerySchema,
  const Sent extends BodyDeclaration,
  const Answers extends DeclaredAnswers,
  Prepared = undefined,
>(declaration: ChangeDeclaration<Path, Query, Sent, Answers, Prepared>): Route {
  const { prepare, change, remembered, committed, ...described } = declaration;
  return { ...described, work: { kind: 'change', prepare, change, remembered, committed } };
}
