import { z } from 'zod';
import { toHex } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { parseEvent } from '#domain/metering/parse-event.ts';
import { AmendmentRefused, amendEvent } from '#infra/usage/amend-event.ts';
import { CatalogueMoving } from '#infra/usage/commit.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { NotYetAppended, restoreEvent, voidEvent, type EventName } from '#infra/usage/void-event.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { exactJsonText } from '../http/exact-json.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { nameInput } from '../http/schemas.ts';
import type { Services } from '../services.ts';

const tag = 'Events';
const REASON_LENGTH_MAX = 1_000;
/** Each correction is one transaction over the cells it touches, so it needs no slot of its own. */
const SLOT = 0;
/** Names this way in where the commit asks for a feed. */
const FEED = 'api';
/** The attribute in which an amendment names the event it replaces. */
const AMENDS = 'amends';

const nameInputs = {
  source: nameInput,
  id: nameInput,
  reason: z.string().min(1).max(REASON_LENGTH_MAX).meta({ description: 'Why, for the log' }),
};
const eventName = z.strictObject(nameInputs);

const identityDocument = z.string().meta({ description: 'Of the event, in hex' });

export const voidRoute = route({
  method: 'post',
  path: '/v1/events/void',
  name: 'voidEvent',
  tag,
  scope: 'events:write',
  summary: 'Takes an event back',
  description:
    'All that it added is taken out of every meter and limit at once. One that has not come yet is void when it comes. `restore` undoes it.',
  body: jsonBody(eventName),
  answers: {
    200: {
      description: '`ahead`: the event has not come yet; `already`: it was void before',
      json: z.object({ identity: identityDocument, outcome: z.enum(['voided', 'ahead', 'already']) }),
    },
  },
  problems: ['not_yet_appended'],
  idempotent: true,
  handle: async (services, { namespace, principal, requestId, body }) => {
    const name = { namespace, ...body };
    const outcome = await correcting(() => voidEvent({ ...services, slot: SLOT }, name));
    return json(200, {
      identity: logged(services, { requestId, keyId: principal.keyId, what: 'void', outcome, ...name }),
      outcome,
    });
  },
});

export const restoreRoute = route({
  method: 'post',
  path: '/v1/events/restore',
  name: 'restoreEvent',
  tag,
  scope: 'events:write',
  summary: 'Brings a voided event back, with the effects it had',
  body: jsonBody(eventName),
  answers: {
    200: {
      description:
        '`forgotten`: it had not come yet, and will count when it does; `already`: it was not void; `unseen`: nobody knows it',
      json: z.object({
        identity: identityDocument,
        outcome: z.enum(['restored', 'forgotten', 'already', 'unseen']),
      }),
    },
  },
  problems: ['not_yet_appended'],
  idempotent: true,
  handle: async (services, { namespace, principal, requestId, body }) => {
    const name = { namespace, ...body };
    const outcome = await correcting(() => restoreEvent({ ...services, slot: SLOT }, name));
    return json(200, {
      identity: logged(services, { requestId, keyId: principal.keyId, what: 'restore', outcome, ...name }),
      outcome,
    });
  },
});

export const amendRoute = route({
  method: 'post',
  path: '/v1/events/amend',
  name: 'amendEvent',
  tag,
  scope: 'events:write',
  summary: 'Puts another event in the place of one',
  description:
    `The old event is void and the new one counts in one step: nobody sees both, or neither. The new one has a source and id of its own, and names
the identity of the old one in its attribute \`${AMENDS}\`.`.replaceAll('\n', ' '),
  body: jsonBody(
    z.strictObject({
      ...nameInputs,
      event: z.looseObject({}).meta({ description: 'A CloudEvent, as `POST /v1/events` takes it' }),
    }),
  ),
  answers: {
    200: {
      description: 'What became of the old event; the new one counts',
      json: z.object({
        identity: identityDocument,
        outcome: z.enum(['voided', 'ahead', 'already']),
        replacedBy: identityDocument,
      }),
    },
  },
  problems: ['event_refused', 'amendment_refused', 'not_yet_appended'],
  idempotent: true,
  handle: async (services, { namespace, principal, requestId, now, body: { event, ...named } }) => {
    const name = { namespace, ...named };
    const old = identityOf(namespace, named.source, named.id);
    const replacement = toDelivery(namespace, { ...event, [AMENDS]: toHex(old) }, { requestId, now });
    const context = { ...services, feed: FEED, slot: SLOT, clock: () => services.scheduler.now() };
    const { voided: outcome } = await correcting(() => amendEvent(context, name, replacement));
    const identity = logged(services, { requestId, keyId: principal.keyId, what: 'amend', outcome, ...name });
    return json(200, { identity, outcome, replacedBy: toHex(replacement.event.identity) });
  },
});

/** The new event as if it had come over a topic. Throws the problem `event_refused`. */
function toDelivery(
  namespace: string,
  event: Readonly<Record<string, unknown>>,
  { requestId, now }: { readonly requestId: string; readonly now: number },
): Delivery & { readonly event: object } {
  const data = Buffer.from(exactJsonText(event));
  const message = { id: requestId, data, attributes: {}, publishTime: now, attempt: 1, ackId: '' };
  const parsed = parseEvent(namespace, message);
  if (parsed.event !== undefined) return { message, namespace, event: parsed.event };
  const { reason: code, detail } = parsed.refusal;
  throw new Problem('event_refused', `the new event is refused: ${detail}`, {
    members: { problem: { code, detail } },
  });
}

/** Errors of a correction that are the caller's to know, as problems. */
async function correcting<Result>(correct: () => Promise<Result>): Promise<Result> {
  try {
    return await correct();
  } catch (error) {
    if (error instanceof AmendmentRefused) throw new Problem('amendment_refused', error.message);
    if (error instanceof NotYetAppended)
      throw new Problem('not_yet_appended', error.message, { headers: SOON });
    if (error instanceof CatalogueMoving)
      throw new Problem('store_unavailable', error.message, { headers: SOON, cause: error });
    throw error;
  }
}

const SOON = { 'Retry-After': '1' };

interface Correction extends EventName {
  readonly requestId: string;
  readonly keyId: string;
  readonly what: string;
  readonly reason: string;
  readonly outcome: string;
}

/** Who corrected what, and why, is said in the log, at a level that servers keep by default. Returns the identity of the event in hex. */
function logged({ log }: Services, { namespace, source, id, ...said }: Correction): string {
  const identity = toHex(identityOf(namespace, source, id));
  log.warn({ ...said, namespace, identity }, 'correction');
  return identity;
}

export const CORRECTION_ROUTES: readonly Route[] = [voidRoute, amendRoute, restoreRoute];
