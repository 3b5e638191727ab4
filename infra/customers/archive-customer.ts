import type { Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import { readYourWrites } from '#infra/database/read-your-writes.ts';
import { runningSubscription } from '#infra/subscriptions/read-subscriptions.ts';
import { CustomerError } from './errors.ts';
import { isHeld, readSubjectRows, subjectsOfCustomer, writeOwnership } from './own-subjects.ts';
import { disownedFrom } from './ownership.ts';
import { childrenOf } from './parents.ts';
import { settleOwnership } from './settle-ownership.ts';
import { customer, type CustomerRow } from './tables.ts';

/**
 * Archives a customer: from now on it owns nothing, and its subjects are free for others; its past stays readable. Archiving it again
 * changes nothing, saving it brings it back. Throws `CustomerError`: `customer_not_found`, `customer_has_children`, and `customer_has_subscriptions`
 * while one goes on or is to begin: it would go on being billed, for usage that is nobody's any more.
 */
export async function archiveCustomer(
  tx: Transaction,
  { namespace, key, now }: { readonly namespace: string; readonly key: string; readonly now: Instant },
): Promise<CustomerRow> {
  const [[row], children, known, running] = await Promise.all([
    tx.read(customer, [[namespace, key]]),
    childrenOf(tx, { namespace, key }, 1),
    subjectsOfCustomer(tx, namespace, key),
    runningSubscription(tx, { namespace, customer: key, now }),
  ]);
  if (row === undefined) throw new CustomerError('customer_not_found', `there is no customer ${key}`);
  if (row.archivedAt !== null) return row;
  if (children.length > 0)
    throw new CustomerError(
      'customer_has_children',
      `${String(children[0])} has ${key} for a parent: give it another first`,
    );
  if (running !== undefined)
    throw new CustomerError(
      'customer_has_subscriptions',
      `the subscription ${running.id} of ${key} goes on: cancel it first`,
    );
  const held = known.filter((each) => isHeld(each, now)).map(({ subject }) => subject);
  const rows = await readSubjectRows(tx, namespace, held);
  const own = readYourWrites(tx);
  const archived = { ...row, archivedAt: now, updatedAt: now };
  own.upsert(customer, archived);
  for (const each of rows) writeOwnership(own, each, disownedFrom(each.customers, key, now));
  if (rows.length > 0) await settleOwnership(own, { namespace, customers: [key], now });
  return archived;
}
