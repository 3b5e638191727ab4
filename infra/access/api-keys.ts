import { randomBytes } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import { checkKeyRequest } from '#domain/access/key-request.ts';
import { formatKeySecret, hashKeySecret, KEY_SECRET_BYTES, shownPartOf } from '#domain/access/key-secret.ts';
import type { Scope } from '#domain/access/scope.ts';
import { MICROS_PER_DAY, MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { API_KEYS_PER_NAMESPACE_MAX } from '#domain/limits.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { AccessError } from './errors.ts';
import { apiKey, type ApiKeyRow } from './tables.ts';

/** After a rotation the old secret stays valid for so long, unless it is told otherwise. */
export const ROTATION_OVERLAP_MICROS = MICROS_PER_DAY;
export const ROTATION_OVERLAP_MICROS_MAX = 7 * MICROS_PER_DAY;
/** Keys in their overlap do not count against the limit, so that a full namespace can rotate; together there are at most so many. */
const VALID_KEYS_MAX = 2 * API_KEYS_PER_NAMESPACE_MAX;

/** A key as its owner may see it: everything but the secret, and not even its hash. */
export type ApiKey = Omit<ApiKeyRow, 'hash'>;

/** A key that has just been made. The secret is told here, once, and kept nowhere. */
export interface CreatedApiKey {
  readonly key: ApiKey;
  readonly secret: string;
}

export interface NewApiKey {
  readonly namespace: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: Instant | null;
  readonly now: Instant;
}

/** Makes a key. Throws `AccessError`: `invalid_api_key` with every violation, `too_many_api_keys`. */
export async function createApiKey(tx: Transaction, wanted: NewApiKey): Promise<CreatedApiKey> {
  const { namespace, name, scopes, expiresAt = null, now } = wanted;
  const violations = checkKeyRequest({ name, scopes, expiresAt }, now);
  if (violations.length > 0) throw new AccessError('invalid_api_key', sentenceOf(violations), violations);
  await checkRoom(tx, namespace, now);
  return insertKey(tx, { namespace, name, scopes: scopes as readonly Scope[], expiresAt, now });
}

/**
 * Puts a new key with the same name and scopes in the place of one, whose own secret stays valid for the overlap (microseconds, 0 to 7
 * days) and no longer. The new key expires when the old one would have. Throws `AccessError`: `api_key_not_found`, `api_key_ended`,
 * `api_key_replaced`, `invalid_api_key`, `too_many_api_keys`.
 */
export async function rotateApiKey(
  tx: Transaction,
  { namespace, id, overlapMicros = ROTATION_OVERLAP_MICROS, now }: Rotation,
): Promise<CreatedApiKey & { readonly replaced: ApiKey }> {
  checkOverlap(overlapMicros);
  const [old, valid] = await Promise.all([readRow(tx, namespace, id), validKeys(tx, namespace, now)]);
  if (hasEnded(old, now)) throw new AccessError('api_key_ended', `the key ${id} is not valid any more`);
  if (old.replacedBy !== null)
    throw new AccessError(
      'api_key_replaced',
      `the key ${id} was replaced by ${old.replacedBy}: rotate that one`,
    );
  if (valid.length >= VALID_KEYS_MAX)
    throw tooMany(VALID_KEYS_MAX, 'with those still valid after a rotation');
  const created = insertKey(tx, { ...old, now });
  const replaced = {
    ...old,
    replacedBy: created.key.id,
    expiresAt: Math.min(old.expiresAt ?? Infinity, now + overlapMicros),
  };
  tx.upsert(apiKey, replaced);
  return { ...created, replaced: withoutHash(replaced) };
}

export interface Rotation {
  readonly namespace: string;
  readonly id: string;
  readonly overlapMicros?: number;
  readonly now: Instant;
}

/**
 * Makes a key invalid from now on. Revoking it again changes nothing. Whoever calls this also tells the key ring of its process
 * (`KeyRing.forget`) once the transaction is committed. Throws `AccessError`: `api_key_not_found`.
 */
export async function revokeApiKey(
  tx: Transaction,
  { namespace, id, now }: { readonly namespace: string; readonly id: string; readonly now: Instant },
): Promise<ApiKey> {
  const row = await readRow(tx, namespace, id);
  if (row.revokedAt !== null) return withoutHash(row);
  const revoked = { ...row, revokedAt: now, expiresAt: Math.min(row.expiresAt ?? Infinity, now) };
  tx.upsert(apiKey, revoked);
  return withoutHash(revoked);
}

/** One key, valid or not; undefined when the namespace has none of this id. */
export async function getApiKey(from: Reads, namespace: string, id: string): Promise<ApiKey | undefined> {
  const [row] = await from.read(apiKey, [[namespace, id]]);
  return row && withoutHash(row);
}

/** Keys in the order they were made, those that have ended too; `after` is the id of the last one of the page before. */
export async function listApiKeys(
  from: Reads,
  namespace: string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<ApiKey[]> {
  // The key range is closed below, so the row named by `after` itself may come first.
  const range = { prefix: [namespace], ...(after === undefined ? {} : { from: after }) };
  const keys: ApiKey[] = [];
  for await (const row of from.scan(apiKey, range, { limit: limit + 1 }))
    if (row.id !== after && keys.length < limit) keys.push(withoutHash(row));
  return keys;
}

/** Whether the namespace has a valid key: the first start of a server makes one where there is none. */
export const hasValidApiKey = async (from: Reads, namespace: string, now: Instant): Promise<boolean> =>
  (await validKeys(from, namespace, now)).length > 0;

function insertKey(
  tx: Transaction,
  wanted: Pick<ApiKeyRow, 'namespace' | 'name' | 'scopes' | 'expiresAt'> & { readonly now: Instant },
): CreatedApiKey {
  const { namespace, name, scopes, expiresAt, now } = wanted;
  const secret = formatKeySecret(randomBytes(KEY_SECRET_BYTES));
  const row: ApiKeyRow = {
    namespace,
    id: uuidV7({ msecs: Math.floor(now / MICROS_PER_MILLI) }),
    name,
    prefix: shownPartOf(secret),
    hash: hashKeySecret(secret),
    scopes,
    createdAt: now,
    expiresAt,
    revokedAt: null,
    replacedBy: null,
  };
  tx.insert(apiKey, row);
  return { key: withoutHash(row), secret };
}

async function checkRoom(tx: Transaction, namespace: string, now: Instant): Promise<void> {
  const valid = await validKeys(tx, namespace, now);
  if (valid.filter(({ replacedBy }) => replacedBy === null).length >= API_KEYS_PER_NAMESPACE_MAX)
    throw tooMany(API_KEYS_PER_NAMESPACE_MAX, 'valid');
}

const tooMany = (limit: number, which: string): AccessError =>
  new AccessError(
    'too_many_api_keys',
    `the namespace has ${limit} keys ${which}, the most it can have: revoke one`,
  );

/** All keys that are valid now. Their number is bounded, however many have ended. */
async function validKeys(from: Reads, namespace: string, now: Instant): Promise<ApiKeyRow[]> {
  const scan = async (range: { prefix: readonly (string | null)[]; from?: number }): Promise<ApiKeyRow[]> =>
    Array.fromAsync(from.scan(apiKey, range, { index: 'byExpiry' }));
  const found = await Promise.all([
    scan({ prefix: [namespace, null] }),
    scan({ prefix: [namespace], from: now + 1 }),
  ]);
  return found.flat();
}

async function readRow(tx: Transaction, namespace: string, id: string): Promise<ApiKeyRow> {
  const [row] = await tx.read(apiKey, [[namespace, id]]);
  if (row === undefined) throw new AccessError('api_key_not_found', `there is no API key ${id}`);
  return row;
}

const hasEnded = ({ expiresAt }: Pick<ApiKeyRow, 'expiresAt'>, now: Instant): boolean =>
  expiresAt !== null && expiresAt <= now;

function checkOverlap(overlapMicros: number): void {
  if (
    Number.isSafeInteger(overlapMicros) &&
    overlapMicros >= 0 &&
    overlapMicros <= ROTATION_OVERLAP_MICROS_MAX
  )
    return;
  const message = 'the overlap lies between 0 and 7 days';
  const violation = { pointer: '/overlapSeconds', code: 'out_of_range', message };
  throw new AccessError('invalid_api_key', message, [violation]);
}

const withoutHash = ({ hash: _, ...key }: ApiKeyRow): ApiKey => key;
