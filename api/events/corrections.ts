import { z } from 'zod';
import { toHex } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { parseEvent } from '#domain/metering/parse-event.ts';
import type { AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import { AmendmentRefused, amendEvent } from '#infra/usage/amend-event.ts';
import { CatalogueMoving } from '#infra/usage/commit.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { NotYetAppended, type EventName } from '#infra/usage/stored-event.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
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
  reason: z.string().min(1).max(REASON_LENGTH_MAX).meta({ description: 'Why, for the audit entry' }),
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
  handle: async (services, request) => {
    const { name, origin } = asked(request);
    const outcome = await correcting(() => voidEvent(contextOf(services), name, origin));
    return json(200, { identity: logged(services, { ...origin, what: 'void', outcome, ...name }), outcome });
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
  handle: async (services, request) => {
    const { name, origin } = asked(request);
    const outcome = await correcting(() => restoreEvent(contextOf(services), name, origin));
    return json(200, {
      identity: logged(services, { ...origin, what: 'restore', outcome, ...name }),
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
  handle: async (services, request) => {
    const { name, origin } = asked(request);
    const old = identityOf(name.namespace, name.source, name.id);
    const event = { ...request.body.event, [AMENDS]: toHex(old) };
    const replacement = toDelivery(name.namespace, event, request);
    const context = { ...contextOf(services), catalogues: services.catalogues, feed: FEED };
    const { voided: outcome } = await correcting(() => amendEvent(context, name, replacement, origin));
    const identity = logged(services, { ...origin, what: 'amend', outcome, ...name });
    return json(200, { identity, outcome, replacedBy: toHex(replacement.event.identity) });
  },
});

interface Asked {
  readonly namespace: string;
  readonly principal: { readonly keyId: string };
  readonly requestId: string;
  readonly now: number;
  readonly body: { readonly source: string; readonly id: string; readonly reason: string };
}

/** Which event is meant, and who asks why. */
const asked = ({ namespace, principal, requestId, now, body: { source, id, reason } }: Asked) => ({
  name: { namespace, source, id } satisfies EventName,
  origin: { principal: principal.keyId, reason, now, requestId } satisfies AuditOrigin,
});

const contextOf = ({ database, warehouse, scheduler }: Services) => ({
  database,
  warehouse,
  slot: SLOT,
  clock: scheduler.now,
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

interface Correction extends EventName, AuditOrigin {
  readonly what: string;
  readonly outcome: string;
}

/** The log says it too, at a level that servers keep by default. Returns the identity of the event in hex. */
function logged({ log }: Services, { now: _, ...said }: Correction): string {
  const identity = toHex(identityOf(said.namespace, said.source, said.id));
  log.warn({ ...said, identity }, 'correction');
  return identity;
}

export const CORRECTION_ROUTES: readonly Route[] = [voidRoute, amendRoute, restoreRoute];
