import { z } from 'zod';
import { readBackfill } from '#infra/backfill/backfill.ts';
import { BackfillError } from '#infra/backfill/errors.ts';
import { startBackfill } from '#infra/backfill/start-backfill.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { timeInput } from '../http/schemas.ts';
import { backfillDocument, toBackfillDocument } from './backfill-documents.ts';
import { tag, versionPath } from './meter-paths.ts';

const REASON_LENGTH_MAX = 500;

const startRoute = changeRoute({
  method: 'post',
  path: '/v1/meters/{key}/versions/{version}/backfill',
  name: 'backfillMeterVersion',
  tag,
  scope: 'catalogue:write',
  summary: 'Tells a version the events from before it was made',
  description:
    'It goes on after the answer, beside everything else, and can be watched. A version that is being built is told its past itself; of one that ' +
    'answers questions already another is made, whose number the answer names. When it is complete, activate it. Asked again it changes nothing.',
  parameters: { path: versionPath, query: z.strictObject(previewQuery) },
  body: jsonBody(
    z.strictObject({
      from: timeInput
        .exactOptional()
        .meta({ description: 'Moved down to the start of its UTC day; 390 days ago where nothing is said' }),
      to: timeInput
        .exactOptional()
        .meta({ description: 'Moved up to the end of its UTC day; the present where nothing is said' }),
      reason: z.string().max(REASON_LENGTH_MAX).default('').meta({ description: 'Why, for the audit entry' }),
    }),
  ),
  answers: { 200: { description: 'The backfill as it is now', json: backfillDocument } },
  problems: [
    'invalid_backfill',
    'invalid_meter',
    'meter_not_found',
    'meter_version_not_found',
    'meter_version_ended',
    'backfill_exists',
  ],
  change: async (tx, { namespace, path: { key, version }, query, body, principal, requestId, now }) => {
    const origin = { principal: principal.keyId, requestId, now, reason: body.reason };
    const { backfill } = await startBackfill(asPreviewed(tx, query), {
      ...{ namespace, key, version, from: body.from, to: body.to },
      ...origin,
    });
    return json(200, toBackfillDocument(backfill));
  },
  committed: ({ catalogues }, { namespace }) => catalogues.forget(namespace),
});

const getRoute = route({
  method: 'get',
  path: '/v1/meters/{key}/versions/{version}/backfill',
  name: 'getMeterBackfill',
  tag,
  scope: 'catalogue:read',
  summary: 'How far a backfill is',
  parameters: { path: versionPath },
  answers: { 200: { description: 'The backfill', json: backfillDocument } },
  problems: ['backfill_not_found'],
  handle: async ({ database }, { namespace, path: { key, version } }) => {
    const backfill = await readBackfill(database, { namespace, meter: key, version });
    if (backfill === undefined)
      throw new BackfillError('backfill_not_found', `version ${version} of ${key} was not backfilled`);
    return json(200, toBackfillDocument(backfill));
  },
});

export const BACKFILL_ROUTES: readonly Route[] = [startRoute, getRoute];
