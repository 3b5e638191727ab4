import { hash } from 'node:crypto';
import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import { IDEMPOTENCY_KEY_LENGTH_MAX, REMEMBERED_ANSWER_BYTES_MAX } from '#domain/limits.ts';
import type { Transaction } from '#infra/database/database.ts';
import { IdempotencyError } from './errors.ts';
import { idempotencyKey } from './tables.ts';

/** How long an answer is kept unless the caller says otherwise. */
export const IDEMPOTENCY_LIFE_MICROS = MICROS_PER_DAY;
/** The same for what makes or changes what is owed: a billing run may be repeated much later. */
export const IDEMPOTENCY_LIFE_OF_MONEY_MICROS = 30 * MICROS_PER_DAY;

/** A request as its repetitions are recognised. */
export interface IdempotentRequest {
  readonly namespace: string;
  /** Who asks: the id of the API key. */
  readonly principal: string;
  /** The kind of call: `PUT /v1/meters/{key}`. */
  readonly route: string;
  /** As the caller chose it; `checkIdempotencyKey` has passed it. */
  readonly key: string;
  /** What `hashRequest` made of the rest of the request. */
  readonly requestHash: string;
  readonly now: Instant;
  readonly lifeMicros?: number;
}

/** An answer that can be given again. The body is any JSON value. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What work gives back: the answer, and what of it may be kept when that is less (an answer that tells a secret). */
export interface WorkDone<Answer extends KeptAnswer = KeptAnswer> {
  readonly answer: Answer;
  readonly kept?: KeptAnswer;
}

export type Remembered<Answer extends KeptAnswer = KeptAnswer> =
  | { readonly replayed: false; readonly answer: Answer }
  | { readonly replayed: true; readonly answer: KeptAnswer };

/**
 * Does the work and keeps its answer in the same transaction, or gives the answer kept from the first time. What the work throws ends the
 * transaction, and nothing is kept. Throws `IdempotencyError` `idempotency_key_reused` when another request came under this key.
 */
export async function withIdempotency<Answer extends KeptAnswer>(
  tx: Transaction,
  request: IdempotentRequest,
  work: () => Promise<WorkDone<Answer>>,
): Promise<Remembered<Answer>> {
  const first = await readKept(tx, request);
  if (first !== undefined) return { replayed: true, answer: first };
  const { answer, kept = answer } = await work();
  keepAnswer(tx, request, kept);
  return { replayed: false, answer };
}

/** The answer kept for this request; undefined when there is none, or its time is over. Throws `idempotency_key_reused`. */
export async function readKept(tx: Transaction, request: IdempotentRequest): Promise<KeptAnswer | undefined> {
  const { namespace, principal, route, key, requestHash, now } = request;
  const [row] = await tx.read(idempotencyKey, [[namespace, principal, route, key]]);
  if (row === undefined || row.expiresAt <= now) return undefined;
  if (row.requestHash !== requestHash)
    throw new IdempotencyError(
      'idempotency_key_reused',
      'this Idempotency-Key came before with another request: use a new key for a new request',
    );
  const { status, headers, body } = row;
  return { status, headers, body: JSON.parse(body) as unknown };
}

/** Keeps an answer, unless it is a failure of ours: then the same request may be tried again. */
export function keepAnswer(
  tx: Transaction,
  request: IdempotentRequest,
  { status, headers, body }: KeptAnswer,
): void {
  if (status >= FIRST_SERVER_ERROR) return;
  const {
    namespace,
    principal,
    route,
    key,
    requestHash,
    now,
    lifeMicros = IDEMPOTENCY_LIFE_MICROS,
  } = request;
  const text = JSON.stringify(body ?? null);
  if (Buffer.byteLength(text, 'utf8') > REMEMBERED_ANSWER_BYTES_MAX)
    throw new RangeError(
      `an answer of ${route} has more than ${REMEMBERED_ANSWER_BYTES_MAX} bytes to remember`,
    );
  // An answer whose time is over may still lie there, so it is replaced.
  const id = { namespace, principal, route, key };
  const life = { createdAt: now, expiresAt: now + lifeMicros };
  tx.upsert(idempotencyKey, { ...id, requestHash, status, headers, body: text, ...life });
}

const FIRST_SERVER_ERROR = 500;

const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

/** Throws `IdempotencyError` `invalid_idempotency_key` unless it is 1 to 255 printable ASCII characters. */
export function checkIdempotencyKey(key: string): void {
  if (PRINTABLE_ASCII.test(key) && key.length <= IDEMPOTENCY_KEY_LENGTH_MAX) return;
  const message = `is 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} printable ASCII characters`;
  throw new IdempotencyError('invalid_idempotency_key', `an Idempotency-Key ${message}`, [
    { pointer: 'header:Idempotency-Key', code: 'invalid', message },
  ]);
}

/**
 * Tells requests under one key apart: by the path with its query, and by the bytes of the body. A repetition sends the same bytes; that
 * another text could mean the same is not looked into.
 */
export function hashRequest(target: string, body: string | Uint8Array): string {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  // The length keeps a target and a body from running into one another.
  const head = Buffer.from(`${Buffer.byteLength(target)}:${target}:`);
  return hash('sha256', Buffer.concat([head, bytes]), 'hex');
}
