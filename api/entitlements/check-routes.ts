import { z } from 'zod';
import { ENTITLEMENT_CHECKS_MAX } from '#domain/limits.ts';
import { listFeatures } from '#infra/catalogue/features.ts';
import { liveCustomer } from '#infra/customers/put-customer.ts';
import { checkEntitlements } from '#infra/entitlements/check-entitlements.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import {
  amountInput,
  keyInput,
  listQuery,
  nameInput,
  pageOf,
  pathNameInput,
  wholeNumberInput,
} from '../http/schemas.ts';
import { entitlementDocument, toEntitlementDocument } from './entitlement-documents.ts';

const tag = 'Quotas';
const scope = 'quota:check';
const LISTED_DEFAULT = 50;

const getRoute = route({
  method: 'get',
  path: '/v1/customers/{key}/entitlements/{feature}',
  name: 'getEntitlement',
  tag,
  scope,
  summary: 'May the customer use the feature, how much is left, and why',
  parameters: {
    path: z.object({ key: pathNameInput, feature: keyInput }),
    query: z.strictObject({
      amount: amountInput.exactOptional().meta({
        description: 'Whether so much more may be used; without it, whether anything may',
        override: { type: 'string' },
      }),
    }),
  },
  answers: { 200: { description: 'The answer', json: entitlementDocument } },
  problems: ['customer_not_found', 'invalid_check'],
  quiet: true,
  handle: async ({ checks }, { namespace, path, query }) => {
    const answer = await checks.check(namespace, { customer: path.key, feature: path.feature, ...query });
    if (answer.reason === 'unknown_customer')
      throw new Problem('customer_not_found', `there is no customer ${path.key}`);
    return json(200, toEntitlementDocument(answer));
  },
});

const listRoute = route({
  method: 'get',
  path: '/v1/customers/{key}/entitlements',
  name: 'getEntitlements',
  tag,
  scope,
  summary: 'The same for every feature, by its key',
  parameters: {
    path: z.object({ key: pathNameInput }),
    query: z.strictObject({
      ...listQuery,
      limit: wholeNumberInput(1, ENTITLEMENT_CHECKS_MAX).default(LISTED_DEFAULT),
    }),
  },
  answers: { 200: { description: 'One page', json: pageOf(entitlementDocument) } },
  problems: ['customer_not_found', 'customer_archived', 'invalid_cursor'],
  handle: async ({ database }, { namespace, path, query, now }) => {
    await liveCustomer(database, { namespace, key: path.key });
    const after = positionOf(query.cursor, z.string());
    const features = await listFeatures(database, namespace, {
      limit: query.limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    const page = pageAfter(features, query.limit, { item: ({ key }) => key, position: ({ key }) => key });
    const checks = page.items.map((feature) => ({ customer: path.key, feature }));
    const answers = checks.length === 0 ? [] : await checkEntitlements(database, namespace, checks, now);
    return json(200, { items: answers.map(toEntitlementDocument), nextCursor: page.nextCursor });
  },
});

const checkRoute = route({
  method: 'post',
  path: '/v1/entitlements/check',
  name: 'checkEntitlements',
  tag,
  scope,
  summary: 'Answers many checks at once, from one snapshot',
  description: 'A customer or a feature that does not exist is not entitled; `reason` says so.',
  body: jsonBody(
    z.strictObject({
      checks: z
        .array(
          z.strictObject({ customer: nameInput, feature: keyInput, amount: amountInput.exactOptional() }),
        )
        .min(1)
        .max(ENTITLEMENT_CHECKS_MAX),
    }),
  ),
  answers: {
    200: {
      description: 'One answer for each check, in order',
      json: z.object({ answers: z.array(entitlementDocument) }),
    },
  },
  problems: ['invalid_check'],
  quiet: true,
  handle: async ({ database }, { namespace, body, now }) => {
    const answers = await checkEntitlements(database, namespace, body.checks, now);
    return json(200, { answers: answers.map(toEntitlementDocument) });
  },
});

export const CHECK_ROUTES: readonly Route[] = [getRoute, listRoute, checkRoute];
