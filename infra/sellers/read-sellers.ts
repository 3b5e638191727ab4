import { SELLERS_PER_NAMESPACE_MAX } from '#domain/limits.ts';
import type { Reads } from '#infra/database/database.ts';
import { SellerError } from './errors.ts';
import { wholeSeller } from './seller-definition.ts';
import { seller, type SellerRow } from './tables.ts';

/** Who bills in a namespace that has said nothing of sellers. */
export const DEFAULT_SELLER = 'default';

/** One seller as it was saved, archived or not; undefined when there is none. */
export async function readSellerRow(
  from: Reads,
  namespace: string,
  key: string,
): Promise<SellerRow | undefined> {
  const [row] = await from.read(seller, [[namespace, key]]);
  return row;
}

/** Sellers by key, archived ones too; `after` is the key of the last one of the page before. */
export async function listSellers(
  from: Reads,
  namespace: string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<SellerRow[]> {
  // The range is closed below, so the row named by `after` itself comes first.
  const range = { prefix: [namespace], ...(after === undefined ? {} : { from: after }) };
  const rows = await Array.fromAsync(from.scan(seller, range, { limit: limit + 1 }));
  return rows.filter(({ key }) => key !== after).slice(0, limit);
}

/**
 * Sellers by their keys, archived ones too: what invoices are made with. The default one is always there. Throws `SellerError`
 * `seller_not_found`, naming the first that is not.
 */
export async function readSellers(
  from: Reads,
  namespace: string,
  keys: Iterable<string>,
): Promise<Map<string, SellerRow>> {
  const wanted = [...new Set(keys)];
  const rows = await from.read(
    seller,
    wanted.map((key) => [namespace, key]),
  );
  return new Map(
    wanted.map((key, place) => {
      const row = rows[place] ?? (key === DEFAULT_SELLER ? defaultSeller(namespace) : undefined);
      if (row === undefined) throw new SellerError('seller_not_found', `there is no seller ${key}`);
      return [key, row];
    }),
  );
}

/**
 * Whose invoices someone gets who has not said: those of the namespace's only seller, or of `default` where there is none or a seller of that
 * name. Throws `SellerError` `seller_needed` where there are several and none is meant.
 */
export async function onlySeller(from: Reads, namespace: string): Promise<string> {
  const range = { prefix: [namespace] };
  const rows = await Array.fromAsync(from.scan(seller, range, { limit: SELLERS_PER_NAMESPACE_MAX }));
  const keys = rows.filter(({ archivedAt }) => archivedAt === null).map(({ key }) => key);
  const [only = DEFAULT_SELLER, ...others] = keys;
  if (others.length === 0) return only;
  if (keys.includes(DEFAULT_SELLER)) return DEFAULT_SELLER;
  throw new SellerError('seller_needed', `several sellers are there: name one of them`);
}

/** Throws `SellerError` `seller_not_found` for one that nothing new can be given to; `pointer` says who asked for it. */
export async function checkSellerLives(
  from: Reads,
  { namespace, key, pointer }: { readonly namespace: string; readonly key: string; readonly pointer: string },
): Promise<void> {
  const row = await readSellerRow(from, namespace, key);
  if (row === undefined ? key === DEFAULT_SELLER : row.archivedAt === null) return;
  const message = row === undefined ? `there is no seller ${key}` : `the seller ${key} is archived`;
  throw new SellerError('seller_not_found', message, [{ pointer, code: 'seller_not_found', message }]);
}

/** Its name is that of the namespace: whoever wants another on an invoice saves the seller `default`. */
const defaultSeller = (namespace: string): SellerRow => ({
  namespace,
  key: DEFAULT_SELLER,
  ...wholeSeller({ name: namespace }),
  createdAt: 0,
  updatedAt: 0,
  archivedAt: null,
});
