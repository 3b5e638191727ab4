import type { Instant } from '#domain/instant.ts';
import type { Reads } from '#infra/database/database.ts';
import { isOwnedAt, subjectsOfCustomer } from './own-subjects.ts';
import { customer, type CustomerRow } from './tables.ts';

/** A customer with the subjects that it owns now. */
export interface Customer extends CustomerRow {
  readonly subjects: readonly string[];
}

/** One customer, archived or not, with its subjects as of `now`; undefined when there is none. */
export async function getCustomer(
  from: Reads,
  { namespace, key, now }: { readonly namespace: string; readonly key: string; readonly now: Instant },
): Promise<Customer | undefined> {
  const [[row], known] = await Promise.all([
    from.read(customer, [[namespace, key]]),
    subjectsOfCustomer(from, namespace, key),
  ]);
  const subjects = known.filter((each) => isOwnedAt(each, now)).map(({ subject }) => subject);
  return row && { ...row, subjects };
}

/** Customers by key, archived ones too, without their subjects; `after` is the key of the last one of the page before. */
export async function listCustomers(
  from: Reads,
  namespace: string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<CustomerRow[]> {
  // The range is closed below, so the row named by `after` itself comes first.
  const range = { prefix: [namespace], ...(after === undefined ? {} : { from: after }) };
  const rows = await Array.fromAsync(from.scan(customer, range, { limit: limit + 1 }));
  return rows.filter(({ key }) => key !== after).slice(0, limit);
}
