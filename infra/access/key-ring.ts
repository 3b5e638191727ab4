import { hashKeySecret, isKeySecret, KEY_SECRET_LENGTH } from '#domain/access/key-secret.ts';
import type { Principal } from '#domain/access/principal.ts';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { apiKey, type ApiKeyRow } from './tables.ts';

/** A key found in the store is trusted for so long, store or no store: after that a revocation elsewhere holds here too. */
export const KEY_TRUST_MICROS = 60 * MICROS_PER_SECOND;
/** From this age on a key that is used is looked up again beside the request, so that an outage finds the ring fresh. */
export const KEY_REFRESH_MICROS = 10 * MICROS_PER_SECOND;
/** While a refresh fails, the next is tried after so long. */
const REFRESH_PAUSE_MICROS = MICROS_PER_SECOND;
/** A secret that no key has is not looked up again for so long. */
export const UNKNOWN_KEY_MICROS = 5 * MICROS_PER_SECOND;
/** Keys kept, and unknown secrets kept: apart, so that guesses cannot push out keys that are used. */
const KEYS_KEPT_MAX = 10_000;
const UNKNOWN_KEPT_MAX = 10_000;

/** The keys a process knows. Requests are let in by it while the database is down, for as long as `KEY_TRUST_MICROS`. */
export interface KeyRing {
  /**
   * Who a secret belongs to; undefined when it is no valid key's. Of a key that is known it is said at once, since nearly every request
   * has one. Rejects with what the database throws, if that is needed and does not answer: then nothing is known about the key.
   */
  authenticate(secret: string, now: Instant): Principal | undefined | Promise<Principal | undefined>;
  /** Called once a change of a key (revoked, rotated) is committed by this process: it holds here at once. */
  forget(keyId: string): void;
}

interface KeptKey {
  readonly principal: Principal;
  readonly expiresAt: Instant | null;
  readonly foundAt: Instant;
  triedAt: Instant;
}

interface Ring {
  readonly database: Database;
  /** By the hash of the secret, as are all three; the one used last comes last. Secrets themselves are not kept. */
  readonly kept: Map<string, KeptKey>;
  readonly unknown: Map<string, Instant>;
  readonly underWay: Map<string, Promise<KeptKey | undefined>>;
  /** Rises with each `forget`: what was read before it may not be kept after it. */
  epoch: number;
}

export function createKeyRing(database: Database): KeyRing {
  const ring: Ring = { database, kept: new Map(), unknown: new Map(), underWay: new Map(), epoch: 0 };
  return {
    authenticate: (secret, now) => authenticate(ring, secret, now),
    forget: (keyId) => {
      ring.epoch++;
      ring.underWay.clear();
      for (const [hash, { principal }] of ring.kept) if (principal.keyId === keyId) ring.kept.delete(hash);
    },
  };
}

/** The hash is what is looked up, so how long a look-up takes tells nothing about any secret. */
function authenticate(
  ring: Ring,
  secret: string,
  now: Instant,
): Principal | undefined | Promise<Principal | undefined> {
  if (secret.length !== KEY_SECRET_LENGTH) return undefined;
  const hash = hashKeySecret(secret);
  const kept = ring.kept.get(hash);
  if (kept !== undefined && isWithin(kept.foundAt, now, KEY_TRUST_MICROS)) {
    keep(ring.kept, hash, kept, KEYS_KEPT_MAX);
    refresh(ring, hash, kept, now);
    return validPrincipal(kept, now);
  }
  // Asked only now: a secret that is known has its checksum.
  if (!isKeySecret(secret)) return undefined;
  const unknownSince = ring.unknown.get(hash);
  if (unknownSince !== undefined && isWithin(unknownSince, now, UNKNOWN_KEY_MICROS)) return undefined;
  return lookUp(ring, hash, now).then((key) => validPrincipal(key, now));
}

/** A clock that was set back makes nothing valid for longer. */
const isWithin = (since: Instant, now: Instant, micros: number): boolean =>
  now >= since && now - since < micros;

const validPrincipal = (key: KeptKey | undefined, now: Instant): Principal | undefined =>
  key === undefined || (key.expiresAt !== null && key.expiresAt <= now) ? undefined : key.principal;

function refresh(ring: Ring, hash: string, kept: KeptKey, now: Instant): void {
  if (now - kept.foundAt < KEY_REFRESH_MICROS || now - kept.triedAt < REFRESH_PAUSE_MICROS) return;
  kept.triedAt = now;
  // The key is still trusted, so that a database that does not answer is nobody's error yet.
  lookUp(ring, hash, now).catch(() => undefined);
}

/** One look-up at a time for one secret, however many requests come with it. */
function lookUp(ring: Ring, hash: string, now: Instant): Promise<KeptKey | undefined> {
  const already = ring.underWay.get(hash);
  if (already !== undefined) return already;
  const looking = find(ring, hash, now).finally(() => {
    if (ring.underWay.get(hash) === looking) ring.underWay.delete(hash);
  });
  ring.underWay.set(hash, looking);
  return looking;
}

async function find(ring: Ring, hash: string, now: Instant): Promise<KeptKey | undefined> {
  const { epoch } = ring;
  const [row] = await Array.fromAsync(
    ring.database.scan(apiKey, { prefix: [hash] }, { index: 'byHash', limit: 1 }),
  );
  const key = row && keptKey(row, now);
  if (epoch !== ring.epoch) return key;
  if (key === undefined) {
    ring.kept.delete(hash);
    keep(ring.unknown, hash, now, UNKNOWN_KEPT_MAX);
  } else {
    keep(ring.kept, hash, key, KEYS_KEPT_MAX);
  }
  return key;
}

/** Found as of the time before the look-up: what it says is at least so new. */
const keptKey = ({ id, name, namespace, scopes, expiresAt }: ApiKeyRow, foundAt: Instant): KeptKey => ({
  principal: { keyId: id, name, namespace, scopes },
  expiresAt,
  foundAt,
  triedAt: foundAt,
});

/** Puts an entry last, and lets the first go when there are too many. */
function keep<Entry>(entries: Map<string, Entry>, hash: string, entry: Entry, entriesMax: number): void {
  entries.delete(hash);
  entries.set(hash, entry);
  if (entries.size <= entriesMax) return;
  for (const first of entries.keys()) return void entries.delete(first);
}
