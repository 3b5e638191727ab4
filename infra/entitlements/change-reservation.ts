import { checkAmount } from '#domain/entitlements/limit.ts';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { fromHex, type Hash128 } from '#domain/metering/hash128.ts';
import { fromDecimalString, subtract, toDecimalString } from '#domain/metering/quantity.ts';
import type { Violation } from '#domain/violation.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { EntitlementError } from './errors.ts';
import { hardLimitsOf } from './hard-limits.ts';
import { closeHold, isHeldRow, placesOfHold, readHoldCounts, readHolds, type Hold } from './hold-rows.ts';
import { addHeld, openLimitRows, writeLimitRows } from './limit-rows.ts';
import { checkTtl, reservationOf, type Reservation } from './reservation.ts';
import { customerLimits, hold } from './tables.ts';

export interface ReservationName {
  readonly namespace: string;
  /** The event's identity in hex. */
  readonly id: string;
  readonly now: Instant;
}

/** Throws `EntitlementError` `reservation_not_found`. */
export async function getReservation(from: Reads, name: ReservationName): Promise<Reservation> {
  return reservationOf(await findHold(from, name), name.now);
}

/**
 * Holds the actual amount from now on, until the event is committed: the work is done and its event on its way, so the time to live is
 * over. May be more than was asked for, or 0, and be said again. Of a reservation whose event was committed already nothing is left to
 * settle. Throws `EntitlementError`.
 */
export async function settleReservation(
  tx: Transaction,
  { actual, ...name }: ReservationName & { readonly actual: string },
): Promise<Reservation> {
  refuse(checkAmount('/actual', actual));
  const of = await findHold(tx, name);
  if (of.state === 'settled') return reservationOf(of, name.now);
  checkHeld(of);
  const held = fromDecimalString(actual);
  const { rows, places } = await openRowsOfHold(tx, of, name.now);
  for (const { name: place } of places) {
    const row = rows.get(place);
    if (row) addHeld(row, subtract(held, fromDecimalString(of.held)));
  }
  writeLimitRows(tx, rows.values(), name.now);
  // Its event is published now at the earliest, so what is awaited begins now, if the time to live has run out before.
  const expiresAt = Math.max(of.expiresAt, name.now);
  const settled: Hold = { ...of, held: toDecimalString(held), state: 'pending', expiresAt };
  tx.upsert(hold, settled);
  return reservationOf(settled, name.now);
}

/** Gives a reservation back. May be said again. Throws `EntitlementError`. */
export async function releaseReservation(tx: Transaction, name: ReservationName): Promise<Reservation> {
  const of = await findHold(tx, name);
  if (of.state === 'released') return reservationOf(of, name.now);
  checkHeld(of);
  const { rows, places } = await openRowsOfHold(tx, of, name.now);
  const counts = await readHoldCounts(tx, [of]);
  closeHold(tx, { of, places, rows }, 'released', name.now);
  counts.add(of, -1);
  writeLimitRows(tx, rows.values(), name.now);
  counts.write(tx);
  return reservationOf({ ...of, state: 'released', closedAt: name.now }, name.now);
}

/**
 * Lets the time to live run from now on again, also when it has run out and the hold has not lapsed yet. Of a settled reservation there
 * is nothing to extend. Throws `EntitlementError`.
 */
export async function extendReservation(
  tx: Transaction,
  { ttlSeconds, ...name }: ReservationName & { readonly ttlSeconds: number },
): Promise<Reservation> {
  refuse(checkTtl(ttlSeconds));
  const of = await findHold(tx, name);
  if (of.state !== 'open') throw closed(of);
  // A repetition must not shorten what another call has extended further.
  const expiresAt = Math.max(of.expiresAt, name.now + ttlSeconds * MICROS_PER_SECOND);
  const extended: Hold = { ...of, expiresAt };
  tx.upsert(hold, extended);
  return reservationOf(extended, name.now);
}

function refuse(violations: readonly Violation[]): void {
  if (violations.length > 0)
    throw new EntitlementError('invalid_reservation', sentenceOf(violations), violations);
}

async function findHold(from: Reads, { namespace, id }: ReservationName): Promise<Hold> {
  const [row] = await readHolds(from, identityIn(id));
  // Another namespace's reservation is as unknown as one that never was.
  if (row === undefined || row.namespace !== namespace)
    throw new EntitlementError('reservation_not_found', `there is no reservation ${id.slice(0, ID_LENGTH)}`);
  return row;
}

const ID_LENGTH = 32;

const identityIn = (id: string): Hash128[] => (/^[0-9a-f]{32}$/.test(id) ? [fromHex(id)] : []);

function checkHeld(of: Hold): void {
  if (!isHeldRow(of)) throw closed(of);
}

const closed = (of: Hold): EntitlementError =>
  new EntitlementError(
    'reservation_closed',
    `the reservation is ${of.state === 'pending' ? 'settled already and awaits its event' : of.state}`,
  );

/** The rows that one hold is held in, opened. */
async function openRowsOfHold(tx: Transaction, of: Hold, now: Instant) {
  const [limits] = await tx.read(customerLimits, [[of.namespace, of.customer, of.feature]]);
  const places = placesOfHold(of, hardLimitsOf(limits));
  return { places, rows: await openLimitRows(tx, places, now) };
}
