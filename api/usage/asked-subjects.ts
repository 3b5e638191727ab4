import type { TimeWindow } from '#domain/calendar/window.ts';
import { subjectsOfCustomer } from '#infra/customers/own-subjects.ts';
import { getCustomer } from '#infra/customers/read-customers.ts';
import type { Reads } from '#infra/database/database.ts';
import { ownedWithin } from '#infra/usage/customer-subjects.ts';
import type { AskedSubject } from '#infra/usage/load-usage.ts';
import { Problem } from '../http/problem.ts';

/** Whose usage a request asks for: named subjects, or those of a customer while they were its own. */
export interface Asked {
  readonly subjects: readonly string[] | undefined;
  readonly customer: string | undefined;
}

/** Throws the problem `customer_not_found`. */
export async function askedSubjects(
  from: Reads,
  namespace: string,
  { subjects, customer, range }: Asked & { readonly range: TimeWindow },
): Promise<AskedSubject[]> {
  if (customer === undefined) return [...new Set(subjects)];
  const known = await subjectsOfCustomer(from, namespace, customer);
  // A customer without subjects has no usage, one that does not exist has no answer.
  if (known.length === 0 && !(await getCustomer(from, { namespace, key: customer, now: range.from })))
    throw new Problem('customer_not_found', `there is no customer ${customer}`);
  return known.flatMap((owned) => ownedWithin(owned, range));
}
