import { z } from 'zod';
import { RESERVATION_TTL_SECONDS_MAX, RESERVATION_TTL_SECONDS_MIN } from '#domain/limits.ts';
import {
  extendReservation,
  getReservation,
  releaseReservation,
  settleReservation,
} from '#infra/entitlements/change-reservation.ts';
import type { ReservationOutcome } from '#infra/entitlements/grant-reservations.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { amountInput, keyInput, nameInput, pathNameInput } from '../http/schemas.ts';
import { reservationDocument, toEntitlementFields, toReservationDocument } from './entitlement-documents.ts';

const tag = 'Quotas';
const scope = 'quota:check';
const idPath = z.object({
  id: z.string().max(64).meta({ description: 'The identity of the event, in hex' }),
});
const ttlInput = z.int().min(RESERVATION_TTL_SECONDS_MIN).max(RESERVATION_TTL_SECONDS_MAX);

const createRoute = route({
  method: 'post',
  path: '/v1/customers/{key}/reservations',
  name: 'createReservation',
  tag,
  scope,
  summary: 'Holds so much of a feature until an event is counted',
  description:
    'The hold stands under the identity of the event that will settle it. Until its time to live ends it is open; then it still counts, ' +
    'until no event can come any more. The same event and amount again get the first answer; no Idempotency-Key is needed.',
  parameters: { path: z.object({ key: pathNameInput }) },
  body: jsonBody(
    z.strictObject({
      feature: keyInput,
      amount: amountInput,
      ttlSeconds: ttlInput,
      event: z.strictObject({ source: nameInput, id: nameInput }),
    }),
  ),
  answers: {
    201: { description: 'Held', json: reservationDocument, headers: { Location: 'The reservation' } },
  },
  problems: [
    'invalid_reservation',
    'customer_not_found',
    'customer_archived',
    'feature_not_found',
    'feature_archived',
    'quota_exceeded',
    'event_already_counted',
    'reservation_conflict',
    'too_many_holds',
    'too_many_waiting',
  ],
  quiet: true,
  handle: async ({ reservations, metrics }, { namespace, path, body }) => {
    const outcome = await reservations.reserve({ namespace, customer: path.key, ...body });
    metrics.countReservation(outcome.outcome);
    if (outcome.outcome !== 'granted') throw refusal(outcome, path.key);
    const { reservation, repeated } = outcome;
    return json(201, toReservationDocument(reservation), {
      Location: `/v1/reservations/${reservation.id}`,
      ...(repeated ? { 'Idempotent-Replayed': 'true' } : {}),
    });
  },
});

type Refused = Exclude<ReservationOutcome, { readonly outcome: 'granted' }>;

const WHY = {
  event_already_counted: 'the event is counted already, so nothing can be reserved for it',
  reservation_conflict: 'the event is reserved for with another amount, feature or customer',
  too_many_holds: 'the customer has too many open reservations on this feature',
  customer_not_found: 'there is no such customer',
  customer_archived: 'the customer is archived',
  feature_not_found: 'there is no such feature',
  feature_archived: 'the feature is archived',
} as const;

function refusal(refused: Refused, customer: string): Problem {
  if (refused.outcome !== 'quota_exceeded') return new Problem(refused.outcome, WHY[refused.outcome]);
  const { entitlement } = refused;
  const { limitKey, remaining } = entitlement;
  return new Problem(
    'quota_exceeded',
    `the limit ${String(limitKey)} leaves ${String(remaining)}, and more was asked for`,
    { members: { customer, ...toEntitlementFields(entitlement) } },
  );
}

const getRoute = route({
  method: 'get',
  path: '/v1/reservations/{id}',
  name: 'getReservation',
  tag,
  scope,
  summary: 'One reservation',
  parameters: { path: idPath },
  answers: { 200: { description: 'The reservation', json: reservationDocument } },
  problems: ['reservation_not_found'],
  handle: async ({ database }, { namespace, path, now }) =>
    json(200, toReservationDocument(await getReservation(database, { namespace, id: path.id, now }))),
});

const CHANGED = { 200: { description: 'The reservation as it is now', json: reservationDocument } } as const;
const CHANGING_PROBLEMS = ['invalid_reservation', 'reservation_not_found', 'reservation_closed'] as const;

const settleRoute = changeRoute({
  method: 'post',
  path: '/v1/reservations/{id}/settle',
  name: 'settleReservation',
  tag,
  scope,
  summary: 'Holds the actual amount until the event is counted',
  parameters: { path: idPath },
  body: jsonBody(z.strictObject({ actual: amountInput })),
  answers: CHANGED,
  problems: CHANGING_PROBLEMS,
  change: async (tx, { namespace, path, body, now }) =>
    json(200, toReservationDocument(await settleReservation(tx, { namespace, id: path.id, now, ...body }))),
});

const releaseRoute = changeRoute({
  method: 'post',
  path: '/v1/reservations/{id}/release',
  name: 'releaseReservation',
  tag,
  scope,
  summary: 'Gives a reservation back',
  parameters: { path: idPath },
  answers: CHANGED,
  problems: CHANGING_PROBLEMS,
  change: async (tx, { namespace, path, now }) =>
    json(200, toReservationDocument(await releaseReservation(tx, { namespace, id: path.id, now }))),
});

const extendRoute = changeRoute({
  method: 'post',
  path: '/v1/reservations/{id}/extend',
  name: 'extendReservation',
  tag,
  scope,
  summary: 'Lets the time to live run from now on again',
  parameters: { path: idPath },
  body: jsonBody(z.strictObject({ ttlSeconds: ttlInput })),
  answers: CHANGED,
  problems: CHANGING_PROBLEMS,
  change: async (tx, { namespace, path, body, now }) =>
    json(200, toReservationDocument(await extendReservation(tx, { namespace, id: path.id, now, ...body }))),
});

export const RESERVATION_ROUTES: readonly Route[] = [
  createRoute,
  getRoute,
  settleRoute,
  releaseRoute,
  extendRoute,
];
