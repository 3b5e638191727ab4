import { z } from 'zod';
import type { Transaction } from '#infra/database/database.ts';
import { changeSubscription, type ChangeRequest } from '#infra/subscriptions/change-subscription.ts';
import { json } from '../http/answer.ts';
import { jsonBody, type JsonBody } from '../http/body.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import type { ProblemCode } from '../http/problem-codes.ts';
import { changeRoute, type Route } from '../http/route.ts';
import { timeInput } from '../http/schemas.ts';
import { toAnchor } from '../rating/anchor-input.ts';
import { changeAnswer } from './answer-change.ts';
import { changeDocument } from './documents.ts';
import { foresee } from './foresee.ts';
import { changeInput, momentBody, pauseInput } from './inputs.ts';
import { tag } from './tag.ts';

const idPath = z.object({ id: z.uuid() });
const previewed = z.strictObject(previewQuery);
const answers = { 200: { description: 'What it does and costs', json: changeDocument } } as const;
const CHANGE_PROBLEMS = ['subscription_not_found', 'change_not_possible'] as const satisfies ProblemCode[];

interface Asked {
  readonly namespace: string;
  readonly path: { readonly id: string };
  readonly now: number;
}

const make = (tx: Transaction, { namespace, path: { id }, now }: Asked, change: ChangeRequest) =>
  changeSubscription(tx, { namespace, id, change, now });

interface Verb<Sent extends z.ZodType> {
  /** As it stands after the subscription's id. */
  readonly verb: string;
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly body: JsonBody<Sent>;
  readonly problems?: readonly ProblemCode[];
  readonly change: (body: z.output<Sent>) => ChangeRequest;
}

/** A verb of a subscription: all are changes of its timeline, and differ in what is asked. */
const verbRoute = <Sent extends z.ZodType>({ verb, problems = [], change, ...declared }: Verb<Sent>): Route =>
  changeRoute({
    method: 'post',
    path: `/v1/subscriptions/{id}/${verb}`,
    tag,
    scope: 'billing:write',
    ofMoney: true,
    parameters: { path: idPath, query: previewed },
    answers,
    ...declared,
    problems: [...CHANGE_PROBLEMS, ...problems],
    prepare: (services, { query, body, ...asked }) =>
      foresee(services, { ...asked, ...query }, (tx) => make(tx, asked, change(body))),
    change: async (tx, { query, body, ...asked }, _, foreseen) => {
      const changed = await make(asPreviewed(tx, query), asked, change(body));
      return json(200, await changeAnswer(tx, asked, changed, foreseen));
    },
  });

const changeTermsRoute = verbRoute({
  verb: 'change',
  name: 'changeSubscription',
  summary: 'Plan, version, seats, prices, add-ons or anchor become others from a moment on',
  description:
    'Up and down alike. What was planned for later stays planned, and is done to what is there then. A moment in the past is allowed: ' +
    'invoices settle what was billed otherwise.',
  body: jsonBody(changeInput),
  problems: ['plan_not_found', 'plan_archived', 'plan_version_not_found', 'plan_version_not_active'],
  change: ({ anchor, ...said }) => ({
    kind: 'change',
    ...said,
    ...(anchor === undefined ? {} : { anchor: toAnchor(anchor) }),
  }),
});

const cancelRoute = verbRoute({
  verb: 'cancel',
  name: 'cancelSubscription',
  summary: 'Ends a subscription, now, with its period, or at a time',
  description: 'What was paid in advance beyond the end is given back.',
  body: jsonBody(momentBody),
  change: ({ at }) => ({ kind: 'cancel', at }),
});

const uncancelRoute = changeRoute({
  method: 'post',
  path: '/v1/subscriptions/{id}/uncancel',
  name: 'uncancelSubscription',
  tag,
  scope: 'billing:write',
  ofMoney: true,
  summary: 'Takes back an end that has not come yet',
  parameters: { path: idPath, query: previewed },
  answers,
  problems: CHANGE_PROBLEMS,
  prepare: (services, { query, ...asked }) =>
    foresee(services, { ...asked, ...query }, (tx) => make(tx, asked, { kind: 'uncancel' })),
  change: async (tx, { query, ...asked }, _, foreseen) => {
    const changed = await make(asPreviewed(tx, query), asked, { kind: 'uncancel' });
    return json(200, await changeAnswer(tx, asked, changed, foreseen));
  },
});

const pauseRoute = verbRoute({
  verb: 'pause',
  name: 'pauseSubscription',
  summary: 'Nothing is charged for a while, and no usage is',
  description: 'Periods go on being counted from the same anchor.',
  body: jsonBody(pauseInput),
  change: (said) => ({ kind: 'pause', ...said }),
});

const resumeRoute = verbRoute({
  verb: 'resume',
  name: 'resumeSubscription',
  summary: 'Ends a pause',
  body: jsonBody(momentBody),
  change: ({ at }) => ({ kind: 'resume', at }),
});

const undoRoute = changeRoute({
  method: 'delete',
  path: '/v1/subscriptions/{id}/schedule/{from}',
  name: 'undoScheduledChange',
  tag,
  scope: 'billing:write',
  ofMoney: true,
  summary: 'Undoes what was planned for one moment ahead',
  description: 'What is planned for other times stays planned.',
  parameters: { path: z.object({ id: z.uuid(), from: timeInput }), query: previewed },
  answers,
  problems: CHANGE_PROBLEMS,
  prepare: (services, { query, ...asked }) =>
    foresee(services, { ...asked, ...query }, (tx) =>
      make(tx, asked, { kind: 'undo', from: asked.path.from }),
    ),
  change: async (tx, { query, ...asked }, _, foreseen) => {
    const changed = await make(asPreviewed(tx, query), asked, { kind: 'undo', from: asked.path.from });
    return json(200, await changeAnswer(tx, asked, changed, foreseen));
  },
});

export const SUBSCRIPTION_CHANGE_ROUTES: readonly Route[] = [
  changeTermsRoute,
  cancelRoute,
  uncancelRoute,
  pauseRoute,
  resumeRoute,
  undoRoute,
];
