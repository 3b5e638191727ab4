import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { getCustomer } from '#infra/customers/read-customers.ts';
import type { Transaction } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { createSubscription } from '#infra/subscriptions/create-subscription.ts';
import { patchSubscription } from '#infra/subscriptions/patch-subscription.ts';
import {
  existingSubscription,
  listSubscriptions,
  readVersionsNamed,
} from '#infra/subscriptions/read-subscriptions.ts';
import { json } from '../http/answer.ts';
import { jsonBody, mergePatchBody } from '../http/body.ts';
import { mergePatch } from '../http/merge-patch.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import { Problem } from '../http/problem.ts';
import { parseWith } from '../http/read-inputs.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { listQuery, pageOf, pathNameInput } from '../http/schemas.ts';
import { toAnchor } from '../rating/anchor-input.ts';
import { changeAnswer } from './answer-change.ts';
import {
  changeDocument,
  scheduleDocument,
  subscriptionDocument,
  toScheduleDocument,
  toSubscriptionDocument,
} from './documents.ts';
import { foresee } from './foresee.ts';
import { subscriptionInput, subscriptionPatchInput } from './inputs.ts';
import { tag } from './tag.ts';

const customerPath = z.object({ key: pathNameInput });
const idPath = z.object({ id: z.uuid() });
const previewed = z.strictObject(previewQuery);

interface Asked {
  readonly namespace: string;
  readonly path: { readonly key: string };
  readonly body: z.output<typeof subscriptionInput>;
  readonly now: number;
}

/** A UUID of the present, so that ids are in the order in which subscriptions are made. */
const create = (tx: Transaction, { namespace, path, body, now }: Asked, id: string) => {
  const { anchor, endAt, ...said } = body;
  const request = {
    ...said,
    endAt: endAt ?? undefined,
    anchor: anchor === undefined ? undefined : toAnchor(anchor),
  };
  return createSubscription(tx, { namespace, customer: path.key, id, request, now });
};

const createRoute = changeRoute({
  method: 'post',
  path: '/v1/customers/{key}/subscriptions',
  name: 'createSubscription',
  tag,
  scope: 'billing:write',
  ofMoney: true,
  summary: 'Subscribes a customer to a plan',
  description:
    'From now on, from a time ahead, or from one in the past: what was due since is due with its next invoice.',
  parameters: { path: customerPath, query: previewed },
  body: jsonBody(subscriptionInput),
  answers: {
    200: { description: 'The subscription as it would be', json: changeDocument },
    201: { description: 'The subscription', json: changeDocument, headers: { Location: 'The subscription' } },
  },
  problems: [
    'invalid_subscription',
    'customer_not_found',
    'customer_archived',
    'plan_not_found',
    'plan_archived',
    'plan_version_not_found',
    'plan_version_not_active',
    'seller_not_found',
    'seller_needed',
    'too_many_subscriptions',
  ],
  prepare: async (services, { query, ...asked }) => {
    const id = uuidV7({ msecs: Math.floor(asked.now / MICROS_PER_MILLI) });
    const { namespace, now } = asked;
    const foreseen = await foresee(services, { namespace, now, ...query }, (tx) => create(tx, asked, id));
    return { id, foreseen };
  },
  change: async (tx, { query, ...asked }, _, { id, foreseen }) => {
    const changed = await create(asPreviewed(tx, query), asked, id);
    const answer = await changeAnswer(tx, asked, changed, foreseen);
    return query.preview ? json(200, answer) : json(201, answer, { Location: `/v1/subscriptions/${id}` });
  },
});

const listRoute = route({
  method: 'get',
  path: '/v1/customers/{key}/subscriptions',
  name: 'listSubscriptions',
  tag,
  scope: 'billing:read',
  summary: 'The subscriptions of a customer, the oldest first, those that have ended too',
  parameters: { path: customerPath, query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(subscriptionDocument) } },
  problems: ['invalid_cursor', 'customer_not_found'],
  handle: ({ database }, { namespace, path: { key }, query, now }) =>
    inSnapshot(database, async (snapshot) => {
      const after = positionOf(query.cursor, z.uuid());
      const place = { namespace, customer: key };
      const page = { after, limit: query.limit + 1 };
      const found = await listSubscriptions(snapshot, place, page);
      if (found.length === 0 && (await getCustomer(snapshot, { namespace, key, now })) === undefined)
        throw new Problem('customer_not_found', `there is no customer ${key}`);
      const versions = await readVersionsNamed(snapshot, namespace, found);
      return json(
        200,
        pageAfter(found, query.limit, {
          item: (each) => toSubscriptionDocument(each, { versions, now }),
          position: ({ id }) => id,
        }),
      );
    }),
});

const getRoute = route({
  method: 'get',
  path: '/v1/subscriptions/{id}',
  name: 'getSubscription',
  tag,
  scope: 'billing:read',
  summary: 'One subscription as of now',
  parameters: { path: idPath },
  answers: { 200: { description: 'The subscription', json: subscriptionDocument } },
  problems: ['subscription_not_found'],
  handle: ({ database }, { namespace, path: { id }, now }) =>
    inSnapshot(database, async (snapshot) => {
      const found = await existingSubscription(snapshot, { namespace, id });
      const versions = await readVersionsNamed(snapshot, namespace, [found]);
      return json(200, toSubscriptionDocument(found, { versions, now }));
    }),
});

const patchRoute = changeRoute({
  method: 'patch',
  path: '/v1/subscriptions/{id}',
  name: 'patchSubscription',
  tag,
  scope: 'billing:write',
  ofMoney: true,
  summary: 'Changes what of a subscription has no history: metadata and spend threshold',
  parameters: { path: idPath, query: previewed },
  body: mergePatchBody(subscriptionPatchInput),
  answers: { 200: { description: 'The subscription as it is now', json: subscriptionDocument } },
  problems: ['invalid_subscription', 'subscription_not_found'],
  change: async (tx, { namespace, path: { id }, query, body, now }) => {
    const { metadata, spendThreshold } = await existingSubscription(tx, { namespace, id });
    const { metadata: entries = {}, spendThreshold: threshold = null } = parseWith(
      wholeFields,
      mergePatch({ metadata, spendThreshold }, body),
    );
    const fields = { metadata: entries, spendThreshold: threshold };
    const patched = await patchSubscription(asPreviewed(tx, query), { namespace, id, fields, now });
    const versions = await readVersionsNamed(tx, namespace, [patched]);
    return json(200, toSubscriptionDocument(patched, { versions, now }));
  },
});

/** After a patch nothing is null but what is left out. */
const wholeFields = z.strictObject({
  metadata: z.record(z.string(), z.string()).exactOptional(),
  spendThreshold: z.string().nullable().exactOptional(),
});

const scheduleRoute = route({
  method: 'get',
  path: '/v1/subscriptions/{id}/schedule',
  name: 'getSubscriptionSchedule',
  tag,
  scope: 'billing:read',
  summary: 'What is to happen to a subscription, and when',
  parameters: { path: idPath },
  answers: { 200: { description: 'The schedule', json: scheduleDocument } },
  problems: ['subscription_not_found'],
  handle: ({ database }, { namespace, path: { id }, now }) =>
    inSnapshot(database, async (snapshot) => {
      const found = await existingSubscription(snapshot, { namespace, id });
      const versions = await readVersionsNamed(snapshot, namespace, [found]);
      return json(200, toScheduleDocument(found, { versions, now }));
    }),
});

export const SUBSCRIPTION_ROUTES: readonly Route[] = [
  createRoute,
  listRoute,
  getRoute,
  patchRoute,
  scheduleRoute,
];
