import type { Instant } from '#domain/instant.ts';
import {
  INTERVALS_PER_SUBJECT_MAX,
  SUBJECTS_EVER_PER_CUSTOMER_MAX,
  SUBJECTS_PER_CUSTOMER_MAX,
} from '#domain/limits.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { subject, type CustomerInterval, type Row } from '#infra/usage/tables.ts';
import { CustomerError } from './errors.ts';
import { ownedSpans, ownersOf, type OwnedSpan } from './ownership.ts';
import { customerSubject } from './tables.ts';

export type SubjectRow = Row<typeof subject>;

/** A subject and when it belonged, belongs and will belong to the customer that was asked about. */
export interface OwnedSubject {
  readonly subject: string;
  readonly intervals: readonly OwnedSpan[];
}

/** Every subject of a customer, past ones too, by name: what its usage in any time is made of. At most 5,000. */
export async function subjectsOfCustomer(
  from: Reads,
  namespace: string,
  customer: string,
): Promise<OwnedSubject[]> {
  const names = await Array.fromAsync(
    from.scan(customerSubject, { prefix: [namespace, customer] }),
    (row) => row.subject,
  );
  const rows = await readSubjectRows(from, namespace, names);
  return rows.flatMap((row) => {
    const intervals = ownedSpans(row.customers, customer);
    return intervals.length === 0 ? [] : [{ subject: row.subject, intervals }];
  });
}

/** Whether the subject belongs to the customer at `now`, or will. */
export const isHeld = ({ intervals }: OwnedSubject, now: Instant): boolean =>
  intervals.some(({ to }) => to === null || to > now);

export const isOwnedAt = ({ intervals }: OwnedSubject, at: Instant): boolean =>
  intervals.some(({ from, to }) => from <= at && (to === null || to > at));

/** The rows of subjects in the order of the names; one that has no row yet belongs to nobody. */
export async function readSubjectRows(
  from: Pick<Reads, 'read'>,
  namespace: string,
  names: readonly string[],
): Promise<SubjectRow[]> {
  const rows = await from.read(
    subject,
    names.map((name) => [namespace, name]),
  );
  return names.map(
    (name, place) => rows[place] ?? { namespace, subject: name, customers: [], hasLimits: false },
  );
}

/** Writes a subject's intervals, and the index of them by customer with it. Throws `CustomerError` `too_many_moves`. */
export function writeOwnership(
  tx: Transaction,
  row: SubjectRow,
  customers: readonly CustomerInterval[],
): void {
  const { namespace, subject: name } = row;
  if (customers.length > INTERVALS_PER_SUBJECT_MAX)
    throw new CustomerError(
      'too_many_moves',
      `${name} has changed its customer ${INTERVALS_PER_SUBJECT_MAX} times, the most a subject can`,
    );
  const [before, after] = [ownersOf(row.customers), ownersOf(customers)];
  tx.upsert(subject, { ...row, customers });
  for (const owner of after.difference(before))
    tx.upsert(customerSubject, { namespace, customer: owner, subject: name });
  for (const owner of before.difference(after)) tx.delete(customerSubject, [namespace, owner, name]);
}

/** Throws `CustomerError` `too_many_subjects` when a customer would hold more than it may, now or counted over all time. */
export function checkSubjectRoom(held: number, ever: number): void {
  if (held > SUBJECTS_PER_CUSTOMER_MAX) throw tooManySubjects(held, SUBJECTS_PER_CUSTOMER_MAX, 'at a time');
  if (ever > SUBJECTS_EVER_PER_CUSTOMER_MAX)
    throw tooManySubjects(ever, SUBJECTS_EVER_PER_CUSTOMER_MAX, 'with those it once had');
}

const tooManySubjects = (count: number, limit: number, which: string): CustomerError =>
  new CustomerError('too_many_subjects', `${count} subjects ${which}: a customer can have ${limit}`);
