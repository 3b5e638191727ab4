import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import {
  archiveFeature,
  listFeatures,
  putFeature,
  readFeature,
  type Feature,
} from '#infra/catalogue/features.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { keyInput, listQuery, pageOf, timeOutput } from '../http/schemas.ts';

const tag = 'Features';
const keyPath = z.object({ key: keyInput });

const featureDocument = z
  .object({
    key: z.string(),
    name: z.string(),
    meter: z.string().nullable(),
    unit: z.string().nullable(),
    createdAt: timeOutput,
    updatedAt: timeOutput,
    archivedAt: timeOutput.nullable(),
  })
  .meta({ id: 'Feature' });

const toDocument = ({ key, name, meter, unit, createdAt, updatedAt, archivedAt }: Feature) => ({
  key,
  name,
  meter,
  unit,
  createdAt: formatInstant(createdAt),
  updatedAt: formatInstant(updatedAt),
  archivedAt: archivedAt === null ? null : formatInstant(archivedAt),
});

const putRoute = changeRoute({
  method: 'put',
  path: '/v1/features/{key}',
  name: 'putFeature',
  tag,
  scope: 'catalogue:write',
  summary: 'Saves a feature: what customers see and limits are set on',
  parameters: { path: keyPath },
  body: jsonBody(
    z
      .strictObject({
        name: z.string(),
        meter: z.string().nullable().exactOptional().meta({
          description: 'What measures it; a feature without a meter is had or not',
        }),
        unit: z.string().nullable().exactOptional(),
      })
      .meta({ id: 'FeatureInput', example: { name: 'Tokens', meter: 'tokens', unit: 'token' } }),
  ),
  answers: {
    200: { description: 'The feature as it is now', json: featureDocument },
    201: { description: 'The feature is new', json: featureDocument, headers: { Location: 'The feature' } },
  },
  problems: ['invalid_feature', 'meter_not_found', 'feature_meter_fixed'],
  change: async (tx, { namespace, path: { key }, body, now }) => {
    const { feature, change } = await putFeature(tx, { namespace, key, ...body, now });
    return change === 'created'
      ? json(201, toDocument(feature), { Location: `/v1/features/${key}` })
      : json(200, toDocument(feature));
  },
});

const getRoute = route({
  method: 'get',
  path: '/v1/features/{key}',
  name: 'getFeature',
  tag,
  scope: 'catalogue:read',
  summary: 'One feature',
  parameters: { path: keyPath },
  answers: { 200: { description: 'The feature', json: featureDocument } },
  problems: ['feature_not_found'],
  handle: async ({ database }, { namespace, path: { key } }) => {
    const feature = await readFeature(database, namespace, key);
    if (feature === undefined) throw new Problem('feature_not_found', `there is no feature ${key}`);
    return json(200, toDocument(feature));
  },
});

const listRoute = route({
  method: 'get',
  path: '/v1/features',
  name: 'listFeatures',
  tag,
  scope: 'catalogue:read',
  summary: 'Features by key, archived ones too',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(featureDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const after = positionOf(query.cursor, z.string());
    const features = await listFeatures(database, namespace, {
      limit: query.limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    return json(200, pageAfter(features, query.limit, { item: toDocument, position: ({ key }) => key }));
  },
});

const archiveRoute = changeRoute({
  method: 'delete',
  path: '/v1/features/{key}',
  name: 'archiveFeature',
  tag,
  scope: 'catalogue:write',
  summary: 'Takes a feature out of use',
  parameters: { path: keyPath },
  answers: { 200: { description: 'The feature as it is now', json: featureDocument } },
  problems: ['feature_not_found', 'feature_has_limits'],
  change: async (tx, { namespace, path: { key }, now }) =>
    json(200, toDocument(await archiveFeature(tx, { namespace, key, now }))),
});

export const FEATURE_ROUTES: readonly Route[] = [putRoute, getRoute, listRoute, archiveRoute];
