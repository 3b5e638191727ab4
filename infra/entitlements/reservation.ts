import { checkAmount } from '#domain/entitlements/limit.ts';
import { stateAt, type HoldState } from '#domain/entitlements/reservation.ts';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { NAME_BYTES_MAX, RESERVATION_TTL_SECONDS_MAX, RESERVATION_TTL_SECONDS_MIN } from '#domain/limits.ts';
import { toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { compare, fromDecimalString, toDecimalString, type Quantity } from '#domain/metering/quantity.ts';
import { checkPrintable, type Violation } from '#domain/violation.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { EntitlementError } from './errors.ts';
import type { FeatureOfCustomer, Hold } from './hold-rows.ts';

/** What is asked of the quota ahead of an event: to hold so much of a feature until the event is committed. */
export interface ReservationRequest extends FeatureOfCustomer {
  /** A plain decimal above 0. */
  readonly amount: string;
  readonly ttlSeconds: number;
  readonly event: { readonly source: string; readonly id: string };
}

/** A reservation as answers show it. */
export interface Reservation {
  /** The event's identity in hex. */
  readonly id: string;
  readonly customer: string;
  readonly feature: string;
  /** What was asked for. */
  readonly amount: string;
  /** What is held now: the amount, or what was settled; "0" once it is over. */
  readonly held: string;
  readonly state: HoldState;
  readonly expiresAt: Instant;
  readonly grantedAt: Instant;
}

/** A reservation as it stands at `now`. */
export function reservationOf(row: Hold, now: Instant): Reservation {
  const state = stateAt(row.state as HoldState, row.expiresAt, now);
  return {
    id: toHex(row.identity),
    customer: row.customer,
    feature: row.feature,
    amount: row.amount,
    held: row.closedAt === null ? row.held : '0',
    state,
    expiresAt: row.expiresAt,
    grantedAt: row.grantedAt,
  };
}

/** A request that was checked. */
export interface CheckedReservation extends FeatureOfCustomer {
  readonly identity: Hash128;
  readonly amount: Quantity;
  /** The amount in canonical form. */
  readonly amountText: string;
  readonly ttlMicros: number;
}

/** Throws `EntitlementError` `invalid_reservation` with every violation. */
export function checkReservation(request: ReservationRequest): CheckedReservation {
  const { namespace, customer, feature, amount, ttlSeconds, event } = request;
  const violations = [
    ...checkPositive('/amount', amount),
    ...checkTtl(ttlSeconds),
    ...checkPrintable('/event/source', event.source, NAME_BYTES_MAX),
    ...checkPrintable('/event/id', event.id, NAME_BYTES_MAX),
  ];
  if (violations.length > 0)
    throw new EntitlementError('invalid_reservation', sentenceOf(violations), violations);
  const quantity = fromDecimalString(amount);
  return {
    namespace,
    customer,
    feature,
    identity: identityOf(namespace, event.source, event.id),
    amount: quantity,
    amountText: toDecimalString(quantity),
    ttlMicros: ttlSeconds * MICROS_PER_SECOND,
  };
}

export function checkPositive(pointer: string, amount: string): Violation[] {
  const violations = checkAmount(pointer, amount);
  if (violations.length > 0 || compare(fromDecimalString(amount), 0) > 0) return violations;
  return [{ pointer, code: 'not_positive', message: 'must be above 0' }];
}

export const checkTtl = (ttlSeconds: number): Violation[] =>
  Number.isSafeInteger(ttlSeconds) &&
  ttlSeconds >= RESERVATION_TTL_SECONDS_MIN &&
  ttlSeconds <= RESERVATION_TTL_SECONDS_MAX
    ? []
    : [
        {
          pointer: '/ttlSeconds',
          code: 'invalid_ttl',
          message: `is a whole number from ${RESERVATION_TTL_SECONDS_MIN} to ${RESERVATION_TTL_SECONDS_MAX}`,
        },
      ];
