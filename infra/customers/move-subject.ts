import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import { readYourWrites } from '#infra/database/read-your-writes.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { checkOpaqueName } from './customer-definition.ts';
import { CustomerError } from './errors.ts';
import {
  checkSubjectRoom,
  isHeld,
  readSubjectRows,
  subjectsOfCustomer,
  writeOwnership,
} from './own-subjects.ts';
import { FROM_THE_BEGINNING, ownedFrom, ownersFrom } from './ownership.ts';
import { liveCustomer } from './put-customer.ts';
import { settleOwnership } from './settle-ownership.ts';
import type { CustomerInterval } from '#infra/usage/tables.ts';

/** A move can be planned so far ahead. */
export const MOVE_AHEAD_MICROS_MAX = 366 * MICROS_PER_DAY;

export interface MoveSubject {
  readonly namespace: string;
  readonly subject: string;
  /** Null: to nobody. */
  readonly to: string | null;
  /** Moved down to its minute. May lie in the past, or up to a year ahead. */
  readonly from: Instant;
  readonly now: Instant;
}

/** A subject with its customers through time, as they are after the move. */
export interface MovedSubject {
  readonly subject: string;
  readonly intervals: readonly CustomerInterval[];
}

/**
 * Gives a subject to a customer from a date on; what was planned for later is dropped. Usage from then on is the new customer's, also what
 * is counted already. Throws `CustomerError`: `invalid_customer` for a bad subject or date, `customer_not_found`, `customer_archived`,
 * `too_many_subjects`, `too_many_moves`.
 */
export async function moveSubject(tx: Transaction, move: MoveSubject): Promise<MovedSubject> {
  const { namespace, subject, to, from, now } = move;
  checkMove(move);
  if (to !== null) await checkRoomAt(tx, { ...move, to });
  const [row] = await readSubjectRows(tx, namespace, [subject]);
  if (row === undefined) throw new Error('a row was asked for and none came');
  const intervals = ownedFrom(row.customers, to, from);
  const own = readYourWrites(tx);
  writeOwnership(own, row, intervals);
  const customers = ownersFrom(row.customers, from).union(ownersFrom(intervals, from));
  await settleOwnership(own, { namespace, customers, now });
  return { subject, intervals };
}

function checkMove({ subject, from, now }: MoveSubject): void {
  const inRange =
    Number.isSafeInteger(from) && from >= FROM_THE_BEGINNING && from <= now + MOVE_AHEAD_MICROS_MAX;
  const violations = [
    ...checkOpaqueName('/subject', subject),
    ...(inRange
      ? []
      : [{ pointer: '/from', code: 'out_of_range', message: 'lies between 1970 and a year from now' }]),
  ];
  if (violations.length > 0) throw new CustomerError('invalid_customer', sentenceOf(violations), violations);
}

async function checkRoomAt(
  tx: Transaction,
  { namespace, subject, to, now }: MoveSubject & { readonly to: string },
): Promise<void> {
  await liveCustomer(tx, { namespace, key: to });
  const others = (await subjectsOfCustomer(tx, namespace, to)).filter((each) => each.subject !== subject);
  checkSubjectRoom(others.filter((each) => isHeld(each, now)).length + 1, others.length + 1);
}
