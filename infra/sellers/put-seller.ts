import { isDeepStrictEqual } from 'node:util';
import type { Instant } from '#domain/instant.ts';
import { SELLERS_PER_NAMESPACE_MAX } from '#domain/limits.ts';
import type { Transaction } from '#infra/database/database.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { SellerError } from './errors.ts';
import { readSellerRow } from './read-sellers.ts';
import { checkSeller, sellerFields, wholeSeller, type SellerDefinition } from './seller-definition.ts';
import { seller, type SellerRow } from './tables.ts';

export interface PutSeller {
  readonly namespace: string;
  readonly key: string;
  readonly seller: SellerDefinition;
  readonly now: Instant;
}

export interface SavedSeller {
  readonly seller: SellerRow;
  readonly change: 'created' | 'updated' | 'unchanged';
}

/**
 * Saves a seller whole; an archived one lives again. Invoices that are made keep what it said then. Throws `SellerError`:
 * `invalid_seller` with every violation, `too_many_sellers`.
 */
export async function putSeller(tx: Transaction, request: PutSeller): Promise<SavedSeller> {
  const { namespace, key, now } = request;
  const violations = checkSeller(key, request.seller);
  if (violations.length > 0) throw new SellerError('invalid_seller', sentenceOf(violations), violations);
  const before = await readSellerRow(tx, namespace, key);
  if (before === undefined) await checkRoom(tx, namespace);
  const fields = wholeSeller(request.seller);
  if (before?.archivedAt === null && isDeepStrictEqual(sellerFields(before), fields))
    return { seller: before, change: 'unchanged' };
  const createdAt = before?.createdAt ?? now;
  const after = { namespace, key, ...fields, createdAt, updatedAt: now, archivedAt: null };
  tx.upsert(seller, after);
  return { seller: after, change: before === undefined ? 'created' : 'updated' };
}

/**
 * Archives a seller: no customer or subscription can be given to it from now on. Those that have it go on, so that what they owe is billed.
 * Archiving it again changes nothing. Throws `SellerError` `seller_not_found`.
 */
export async function archiveSeller(
  tx: Transaction,
  { namespace, key, now }: { readonly namespace: string; readonly key: string; readonly now: Instant },
): Promise<SellerRow> {
  const row = await readSellerRow(tx, namespace, key);
  if (row === undefined) throw new SellerError('seller_not_found', `there is no seller ${key}`);
  if (row.archivedAt !== null) return row;
  const archived = { ...row, archivedAt: now, updatedAt: now };
  tx.upsert(seller, archived);
  return archived;
}

async function checkRoom(tx: Transaction, namespace: string): Promise<void> {
  const range = { prefix: [namespace] };
  const rows = await Array.fromAsync(tx.scan(seller, range, { limit: SELLERS_PER_NAMESPACE_MAX }));
  if (rows.length >= SELLERS_PER_NAMESPACE_MAX)
    throw new SellerError('too_many_sellers', `a namespace has at most ${SELLERS_PER_NAMESPACE_MAX} sellers`);
}
