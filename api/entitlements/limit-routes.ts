import { z } from 'zod';
import { deleteLimits, getLimits, putLimits } from '#infra/entitlements/put-limits.ts';
import { getCustomer } from '#infra/customers/read-customers.ts';
import { liveCustomer } from '#infra/customers/put-customer.ts';
import { json, noContent } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { keyInput, pathNameInput } from '../http/schemas.ts';
import { limitsDocument, limitsInput, toLimitsDocument } from './limit-documents.ts';

const tag = 'Quotas';
const limitsPath = z.object({ key: pathNameInput, feature: keyInput });
const path = '/v1/customers/{key}/limits/{feature}';

const putRoute = changeRoute({
  method: 'put',
  path,
  name: 'putLimits',
  tag,
  scope: 'customers:write',
  summary: 'Sets all limits of a customer on a feature',
  description:
    'Several may stand side by side: the tightest decides, and answers name it. What is used already counts, exactly, from this answer on; ' +
    'an amount below it is allowed and leaves nothing.',
  parameters: { path: limitsPath },
  body: jsonBody(limitsInput),
  answers: { 200: { description: 'The limits as they are now', json: limitsDocument } },
  problems: [
    'customer_not_found',
    'customer_archived',
    'feature_not_found',
    'feature_archived',
    'feature_without_meter',
    'invalid_limits',
    'aggregation_not_limitable',
    'too_many_limited_features',
  ],
  change: async (tx, { namespace, path: { key, feature }, body, now }) => {
    await liveCustomer(tx, { namespace, key });
    const { limits } = body;
    return json(
      200,
      toLimitsDocument(await putLimits(tx, { namespace, customer: key, feature, limits, now })),
    );
  },
});

const getRoute = route({
  method: 'get',
  path,
  name: 'getLimits',
  tag,
  scope: 'customers:read',
  summary: 'The limits of a customer on a feature',
  parameters: { path: limitsPath },
  answers: { 200: { description: 'The limits; none is an empty list', json: limitsDocument } },
  problems: ['customer_not_found'],
  handle: async ({ database }, { namespace, path: { key, feature }, now }) => {
    const customer = await getCustomer(database, { namespace, key, now });
    if (customer === undefined) throw new Problem('customer_not_found', `there is no customer ${key}`);
    return json(200, toLimitsDocument(await getLimits(database, { namespace, customer: key, feature })));
  },
});

const deleteRoute = changeRoute({
  method: 'delete',
  path,
  name: 'deleteLimits',
  tag,
  scope: 'customers:write',
  summary: 'Takes all limits of a customer on a feature away',
  parameters: { path: limitsPath },
  answers: { 204: { description: 'There are none any more' } },
  problems: ['not_found'],
  change: async (tx, { namespace, path: { key, feature }, now }) => {
    if (!(await deleteLimits(tx, { namespace, customer: key, feature, now })))
      throw new Problem('not_found', `${key} has no limits on ${feature}`);
    return noContent();
  },
});

export const LIMIT_ROUTES: readonly Route[] = [putRoute, getRoute, deleteRoute];
