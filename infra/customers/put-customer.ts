import { isDeepStrictEqual } from 'node:util';
import type { Instant } from '#domain/instant.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { readYourWrites } from '#infra/database/read-your-writes.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { checkSellerLives } from '#infra/sellers/read-sellers.ts';
import type { CustomerInterval } from '#infra/usage/tables.ts';
import {
  checkCustomer,
  customerFields,
  wholeDefinition,
  type CustomerDefinition,
} from './customer-definition.ts';
import { CustomerError } from './errors.ts';
import {
  checkSubjectRoom,
  isHeld,
  isOwnedAt,
  readSubjectRows,
  subjectsOfCustomer,
  writeOwnership,
  type OwnedSubject,
  type SubjectRow,
} from './own-subjects.ts';
import { customerAt, disownedFrom, FROM_THE_BEGINNING, ownedFrom } from './ownership.ts';
import { settleOwnership } from './settle-ownership.ts';
import { checkParent } from './parents.ts';
import type { Customer } from './read-customers.ts';
import { customer, type CustomerRow } from './tables.ts';

export interface PutCustomer {
  readonly namespace: string;
  readonly key: string;
  readonly customer: CustomerDefinition;
  readonly now: Instant;
}

/** What saving a customer did; an archived one that is saved lives again. */
export interface SavedCustomer {
  readonly customer: Customer;
  readonly change: 'created' | 'updated' | 'unchanged';
}

/**
 * Saves a customer whole. Subjects that are new in the list are its own from now on, or from the beginning if nobody had them before;
 * those that left the list are nobody's from now on, and their past stays the customer's. Throws `CustomerError`: `invalid_customer` with
 * every violation, `subject_taken` naming each, `too_many_subjects`, `too_many_moves`, `parent_not_found`, `parent_cycle`,
 * `too_many_levels`; and `SellerError` `seller_not_found`.
 */
export async function putCustomer(tx: Transaction, request: PutCustomer): Promise<SavedCustomer> {
  return save(tx, request, await readRow(tx, request));
}

/** The same for a customer that is there: `customer` is the whole after the patch. Also throws `customer_not_found`, `customer_archived`. */
export async function patchCustomer(tx: Transaction, request: PutCustomer): Promise<SavedCustomer> {
  return save(tx, request, await liveCustomer(tx, request));
}

/** The row of a customer that is there and not archived. Throws `CustomerError`: `customer_not_found`, `customer_archived`. */
export async function liveCustomer(
  tx: Reads,
  place: { readonly namespace: string; readonly key: string },
): Promise<CustomerRow> {
  const row = await readRow(tx, place);
  if (row === undefined) throw new CustomerError('customer_not_found', `there is no customer ${place.key}`);
  if (row.archivedAt !== null)
    throw new CustomerError(
      'customer_archived',
      `the customer ${place.key} is archived: save it whole to have it back`,
    );
  return row;
}

async function readRow(
  tx: Reads,
  { namespace, key }: { readonly namespace: string; readonly key: string },
): Promise<CustomerRow | undefined> {
  const [row] = await tx.read(customer, [[namespace, key]]);
  return row;
}

async function save(
  tx: Transaction,
  request: PutCustomer,
  before: CustomerRow | undefined,
): Promise<SavedCustomer> {
  const { namespace, key, now } = request;
  const violations = checkCustomer(key, request.customer);
  if (violations.length > 0) throw new CustomerError('invalid_customer', sentenceOf(violations), violations);
  const { subjects, ...fields } = wholeDefinition(request.customer);
  const moves = before !== undefined && before.archivedAt === null && before.parent === fields.parent;
  if (fields.parent !== null && !moves) await checkParent(tx, { namespace, key }, fields.parent);
  if (fields.seller !== null && fields.seller !== before?.seller)
    await checkSellerLives(tx, { namespace, key: fields.seller, pointer: '/seller' });
  const changes = await planSubjects(tx, { namespace, key, now }, subjects);
  const after: CustomerRow = {
    namespace,
    key,
    ...fields,
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    archivedAt: null,
  };
  if (before !== undefined && changes.length === 0 && saysTheSame(before, after))
    return { customer: { ...before, subjects }, change: 'unchanged' };
  const own = readYourWrites(tx);
  own.upsert(customer, after);
  for (const { row, intervals } of changes) writeOwnership(own, row, intervals);
  if (changes.length > 0) await settleOwnership(own, { namespace, customers: [key], now });
  return { customer: { ...after, subjects }, change: before === undefined ? 'created' : 'updated' };
}

interface SubjectChange {
  readonly row: SubjectRow;
  readonly intervals: readonly CustomerInterval[];
}

type Owner = Pick<PutCustomer, 'namespace' | 'key' | 'now'>;

/** What has to be written so that exactly these subjects are the customer's now. */
async function planSubjects(
  tx: Transaction,
  owner: Owner,
  wanted: readonly string[],
): Promise<SubjectChange[]> {
  const { namespace, key, now } = owner;
  const known = await subjectsOfCustomer(tx, namespace, key);
  const owned = new Set(known.filter((each) => isOwnedAt(each, now)).map(({ subject }) => subject));
  const named = new Set(wanted);
  const released = [...owned].filter((subject) => !named.has(subject));
  checkRoom(known, named, now);
  const rows = await readSubjectRows(tx, namespace, [...wanted, ...released]);
  const claimed = rows.slice(0, wanted.length);
  checkTaken(claimed, owner);
  return [
    ...claimed
      .filter(({ subject }) => !owned.has(subject))
      .map((row) => ({ row, intervals: ownedFrom(row.customers, key, claimStart(row, now)) })),
    ...rows.slice(wanted.length).map((row) => ({ row, intervals: disownedFrom(row.customers, key, now) })),
  ];
}

/** Usage may be older than the customer: who has a subject first has all of it. */
const claimStart = ({ customers }: SubjectRow, now: Instant): Instant =>
  customers.some(({ from }) => from <= now) ? now : FROM_THE_BEGINNING;

function checkRoom(known: readonly OwnedSubject[], named: ReadonlySet<string>, now: Instant): void {
  const coming = known.filter(
    (each) => !named.has(each.subject) && isHeld(each, now) && !isOwnedAt(each, now),
  );
  const past = known.filter(({ subject }) => !named.has(subject));
  checkSubjectRoom(named.size + coming.length, named.size + past.length);
}

/** A subject is taken when another customer has it now, or will. */
function checkTaken(claimed: readonly SubjectRow[], { key, now }: Owner): void {
  const violations = claimed.flatMap((row, place) => {
    const current = customerAt(row, now);
    const owner =
      current ?? row.customers.find(({ from, customer }) => from > now && customer !== null)?.customer;
    if (owner == null || owner === key) return [];
    const message = `${row.subject} belongs to ${owner}: move it, with a date`;
    return [{ pointer: `/subjects/${place}`, code: 'subject_taken', message }];
  });
  if (violations.length > 0) throw new CustomerError('subject_taken', sentenceOf(violations), violations);
}

const saysTheSame = (before: CustomerRow, after: CustomerRow): boolean =>
  before.archivedAt === after.archivedAt && isDeepStrictEqual(customerFields(before), customerFields(after));
