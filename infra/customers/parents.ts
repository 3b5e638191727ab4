import { CUSTOMER_LEVELS_MAX, CUSTOMERS_BELOW_MAX } from '#domain/limits.ts';
import type { Transaction } from '#infra/database/database.ts';
import { CustomerError } from './errors.ts';
import { customer } from './tables.ts';

interface Place {
  readonly namespace: string;
  readonly key: string;
}

/**
 * Checks that `key` may be put below `parent`. Both ways through the tree are read in the transaction, so that two customers cannot become
 * each other's parent at the same moment. Throws `CustomerError`: `parent_not_found`, `parent_cycle`, `too_many_levels`.
 */
export async function checkParent(tx: Transaction, { namespace, key }: Place, parent: string): Promise<void> {
  const above = await levelsAbove(tx, { namespace, key }, parent);
  const below = await levelsBelow(tx, { namespace, key });
  if (above + 1 + below <= CUSTOMER_LEVELS_MAX) return;
  throw refuse(
    'too_many_levels',
    `customers can be ${CUSTOMER_LEVELS_MAX} levels deep, this would make more`,
  );
}

/** Live children of a customer, as many as asked for. */
export function childrenOf(tx: Transaction, { namespace, key }: Place, limit: number): Promise<string[]> {
  const range = { prefix: [namespace, key, null] };
  return Array.fromAsync(tx.scan(customer, range, { index: 'byParent', limit }), (row) => row.key);
}

async function levelsAbove(tx: Transaction, { namespace, key }: Place, parent: string): Promise<number> {
  let next: string | null = parent;
  for (let levels = 0; levels < CUSTOMER_LEVELS_MAX; levels++) {
    if (next === null) return levels;
    if (next === key) throw refuse('parent_cycle', `${key} would be above itself`);
    const [row]: (typeof customer.row)[] = await tx.read(customer, [[namespace, next]]);
    if (row === undefined || row.archivedAt !== null)
      throw refuse('parent_not_found', `there is no customer ${next}`);
    next = row.parent;
  }
  return CUSTOMER_LEVELS_MAX;
}

async function levelsBelow(tx: Transaction, { namespace, key }: Place): Promise<number> {
  let level = [key];
  let found = 0;
  for (let levels = 0; ; levels++) {
    const room = CUSTOMERS_BELOW_MAX - found + 1;
    const children = await Promise.all(level.map((each) => childrenOf(tx, { namespace, key: each }, room)));
    level = children.flat();
    found += level.length;
    if (found > CUSTOMERS_BELOW_MAX)
      throw refuse(
        'too_many_levels',
        `more than ${CUSTOMERS_BELOW_MAX} customers are below ${key}: it stays on top`,
      );
    if (level.length === 0) return levels;
  }
}

const refuse = (
  code: 'parent_not_found' | 'parent_cycle' | 'too_many_levels',
  message: string,
): CustomerError => new CustomerError(code, message, [{ pointer: '/parent', code, message }]);
