import { z } from 'zod';
import { archivePlan, putPlan } from '#infra/plans/put-plan.ts';
import { existingPlan, listPlans } from '#infra/plans/read-plans.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { keyInput, listQuery, pageOf } from '../http/schemas.ts';
import { planDocument, planInput, toPlanDocument } from './documents.ts';
import { tag } from './tag.ts';

const keyPath = z.object({ key: keyInput.meta({ example: 'pro' }) });
const previewed = z.strictObject(previewQuery);

const putRoute = changeRoute({
  method: 'put',
  path: '/v1/plans/{key}',
  name: 'putPlan',
  tag,
  scope: 'catalogue:write',
  summary: 'Saves a plan; what it sells, its versions say',
  parameters: { path: keyPath, query: previewed },
  body: jsonBody(planInput),
  answers: {
    200: { description: 'The plan as it is now', json: planDocument },
    201: { description: 'The plan is new', json: planDocument, headers: { Location: 'The plan' } },
  },
  problems: ['invalid_plan'],
  change: async (tx, { namespace, path: { key }, query, body, now }) => {
    const { plan, change } = await putPlan(asPreviewed(tx, query), { namespace, key, ...body, now });
    const document = toPlanDocument(plan);
    return change === 'created' && !query.preview
      ? json(201, document, { Location: `/v1/plans/${key}` })
      : json(200, document);
  },
});

const getRoute = route({
  method: 'get',
  path: '/v1/plans/{key}',
  name: 'getPlan',
  tag,
  scope: 'catalogue:read',
  summary: 'One plan',
  parameters: { path: keyPath },
  answers: { 200: { description: 'The plan', json: planDocument } },
  problems: ['plan_not_found'],
  handle: async ({ database }, { namespace, path: { key } }) =>
    json(200, toPlanDocument(await existingPlan(database, namespace, key))),
});

const listRoute = route({
  method: 'get',
  path: '/v1/plans',
  name: 'listPlans',
  tag,
  scope: 'catalogue:read',
  summary: 'Plans by key, archived ones too',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(planDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const after = positionOf(query.cursor, z.string());
    const rows = await listPlans(database, namespace, {
      limit: query.limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    return json(200, pageAfter(rows, query.limit, { item: toPlanDocument, position: ({ key }) => key }));
  },
});

const archiveRoute = changeRoute({
  method: 'delete',
  path: '/v1/plans/{key}',
  name: 'archivePlan',
  tag,
  scope: 'catalogue:write',
  summary: 'Takes a plan off the market; what is subscribed to it goes on',
  parameters: { path: keyPath, query: previewed },
  answers: { 200: { description: 'The plan as it is now', json: planDocument } },
  problems: ['plan_not_found'],
  change: async (tx, { namespace, path: { key }, query, now }) =>
    json(200, toPlanDocument(await archivePlan(asPreviewed(tx, query), { namespace, key, now }))),
});

export const PLAN_ROUTES: readonly Route[] = [putRoute, getRoute, listRoute, archiveRoute];
