import { z } from 'zod';
import { checkCompatibility } from '#infra/plans/check-compatibility.ts';
import { createVersion, replaceDraft } from '#infra/plans/drafts.ts';
import { archiveVersion, publishVersion } from '#infra/plans/publish-version.ts';
import { existingPlan, existingVersion, listVersions } from '#infra/plans/read-plans.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { keyInput, listQuery, pageOf } from '../http/schemas.ts';
import {
  compatibilityDocument,
  toVersionDocument,
  toVersionSummary,
  versionDocument,
  versionInput,
  versionSummary,
} from './documents.ts';
import { tag } from './tag.ts';

const versionNumber = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'must be a whole number from 1')
  .transform(Number)
  .meta({ override: { type: 'integer', minimum: 1 } });
const planKey = keyInput.meta({ example: 'pro' });
const keyPath = z.object({ key: planKey });
const versionPath = z.object({ key: planKey, version: versionNumber });
const previewed = z.strictObject(previewQuery);
const asItIs = { 200: { description: 'The version as it is now', json: versionDocument } } as const;

const createRoute = changeRoute({
  method: 'post',
  path: '/v1/plans/{key}/versions',
  name: 'createPlanVersion',
  tag,
  scope: 'catalogue:write',
  summary: 'Makes the next version of a plan, a draft',
  description:
    'It has to be whole, but for meters that are not there yet: those are looked for when it is published.',
  parameters: { path: keyPath, query: previewed },
  body: jsonBody(versionInput),
  answers: {
    200: { description: 'The version as it would be', json: versionDocument },
    201: { description: 'The draft', json: versionDocument, headers: { Location: 'The version' } },
  },
  problems: ['invalid_plan_version', 'plan_not_found', 'plan_archived', 'too_many_plan_versions'],
  change: async (tx, { namespace, path: { key }, query, body, now }) => {
    const draft = { namespace, plan: key, definition: body, now };
    const row = await createVersion(asPreviewed(tx, query), draft);
    return query.preview
      ? json(200, toVersionDocument(row))
      : json(201, toVersionDocument(row), { Location: `/v1/plans/${key}/versions/${row.version}` });
  },
});

const listRoute = route({
  method: 'get',
  path: '/v1/plans/{key}/versions',
  name: 'listPlanVersions',
  tag,
  scope: 'catalogue:read',
  summary: 'The versions of a plan, the oldest first, without their prices',
  parameters: { path: keyPath, query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(versionSummary) } },
  problems: ['invalid_cursor', 'plan_not_found'],
  handle: ({ database }, { namespace, path: { key }, query }) =>
    inSnapshot(database, async (snapshot) => {
      const after = positionOf(query.cursor, z.int());
      await existingPlan(snapshot, namespace, key);
      const place = { namespace, plan: key };
      const rows = await listVersions(snapshot, place, {
        limit: query.limit + 1,
        ...(after === undefined ? {} : { after }),
      });
      return json(
        200,
        pageAfter(rows, query.limit, { item: toVersionSummary, position: ({ version }) => version }),
      );
    }),
});

const getRoute = route({
  method: 'get',
  path: '/v1/plans/{key}/versions/{version}',
  name: 'getPlanVersion',
  tag,
  scope: 'catalogue:read',
  summary: 'One version with all that it sells',
  parameters: { path: versionPath },
  answers: { 200: { description: 'The version', json: versionDocument } },
  problems: ['plan_not_found', 'plan_version_not_found'],
  handle: async ({ database }, { namespace, path: { key, version } }) =>
    json(200, toVersionDocument(await existingVersion(database, namespace, { plan: key, version }))),
});

const replaceRoute = changeRoute({
  method: 'put',
  path: '/v1/plans/{key}/versions/{version}',
  name: 'replacePlanDraft',
  tag,
  scope: 'catalogue:write',
  summary: 'Writes a draft anew; a published version never changes',
  parameters: { path: versionPath, query: previewed },
  body: jsonBody(versionInput),
  answers: asItIs,
  problems: [
    'invalid_plan_version',
    'plan_not_found',
    'plan_version_not_found',
    'plan_version_published',
    'plan_version_archived',
  ],
  change: async (tx, { namespace, path: { key, version }, query, body, now }) => {
    const draft = { namespace, plan: key, version, definition: body, now };
    return json(200, toVersionDocument(await replaceDraft(asPreviewed(tx, query), draft)));
  },
});

const publishRoute = changeRoute({
  method: 'post',
  path: '/v1/plans/{key}/versions/{version}/publish',
  name: 'publishPlanVersion',
  tag,
  scope: 'catalogue:write',
  summary: 'Lets customers subscribe to a version, which never changes again',
  description: 'Every meter that it prices must be there and tell what its prices ask.',
  parameters: { path: versionPath, query: previewed },
  answers: asItIs,
  problems: [
    'invalid_plan_version',
    'plan_not_found',
    'plan_archived',
    'plan_version_not_found',
    'plan_version_archived',
  ],
  change: async (tx, { namespace, path: { key, version }, query, now }) => {
    const place = { namespace, plan: key, version, now };
    return json(200, toVersionDocument(await publishVersion(asPreviewed(tx, query), place)));
  },
});

const archiveRoute = changeRoute({
  method: 'post',
  path: '/v1/plans/{key}/versions/{version}/archive',
  name: 'archivePlanVersion',
  tag,
  scope: 'catalogue:write',
  summary: 'Takes a version off the market, or gives a draft up; what is subscribed to it goes on',
  parameters: { path: versionPath, query: previewed },
  answers: asItIs,
  problems: ['plan_not_found', 'plan_version_not_found'],
  change: async (tx, { namespace, path: { key, version }, query, now }) => {
    const place = { namespace, plan: key, version, now };
    return json(200, toVersionDocument(await archiveVersion(asPreviewed(tx, query), place)));
  },
});

const compatibilityRoute = route({
  method: 'get',
  path: '/v1/plans/{key}/versions/{version}/compatibility',
  name: 'getPlanCompatibility',
  tag,
  scope: 'catalogue:read',
  summary: 'What it means to go from this version to another, and what forbids it',
  description:
    'For a subscription that says nothing of its own. What the quantities, overrides and add-ons of one subscription forbid, the preview of its change says.',
  parameters: {
    path: versionPath,
    query: z.strictObject({
      plan: keyInput.exactOptional().meta({ description: 'Of the other version; this plan if left out' }),
      version: versionNumber.meta({ description: 'The other version' }),
      currency: z
        .string()
        .max(8)
        .exactOptional()
        .meta({ description: 'Of the subscription; every currency of this version if left out' }),
    }),
  },
  answers: { 200: { description: 'Faults and notices', json: compatibilityDocument } },
  problems: ['plan_not_found', 'plan_version_not_found'],
  handle: ({ database }, { namespace, path, query }) =>
    inSnapshot(database, async (snapshot) => {
      const { faults, notices } = await checkCompatibility(snapshot, namespace, {
        from: { plan: path.key, version: path.version },
        to: { plan: query.plan ?? path.key, version: query.version },
        currency: query.currency,
      });
      return json(200, { compatible: faults.length === 0, faults, notices });
    }),
});

export const PLAN_VERSION_ROUTES: readonly Route[] = [
  createRoute,
  listRoute,
  getRoute,
  replaceRoute,
  publishRoute,
  archiveRoute,
  compatibilityRoute,
];
