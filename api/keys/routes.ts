import { z } from 'zod';
import { SCOPES } from '#domain/access/scope.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import {
  createApiKey,
  getApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
  ROTATION_OVERLAP_MICROS,
  ROTATION_OVERLAP_MICROS_MAX,
  type ApiKey,
} from '#infra/access/api-keys.ts';
import { json, type Answer } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { listQuery, pageOf, timeInput, timeOutput } from '../http/schemas.ts';

const apiKeyDocument = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string().meta({ description: 'The beginning of the secret, to recognise it by' }),
    scopes: z.array(z.enum(SCOPES)),
    createdAt: timeOutput,
    expiresAt: timeOutput.nullable(),
    revokedAt: timeOutput.nullable(),
    replacedBy: z.string().nullable().meta({ description: 'The key that a rotation put in its place' }),
  })
  .meta({ id: 'ApiKey' });

const createdDocument = apiKeyDocument
  .extend({
    secret: z.string().nullable().meta({
      description: 'Told once: a repetition with the same Idempotency-Key has null here.',
    }),
  })
  .meta({ id: 'CreatedApiKey' });

const timeOrNull = (at: Instant | null): string | null => (at === null ? null : formatInstant(at));

const toDocument = ({ id, name, prefix, scopes, createdAt, expiresAt, revokedAt, replacedBy }: ApiKey) => ({
  id,
  name,
  prefix,
  scopes,
  createdAt: formatInstant(createdAt),
  expiresAt: timeOrNull(expiresAt),
  revokedAt: timeOrNull(revokedAt),
  replacedBy,
});

/** A secret is stored nowhere, not even for a repetition. */
const withoutSecret = (answer: Answer): Answer =>
  answer.body.kind === 'json' && typeof answer.body.value === 'object'
    ? { ...answer, body: { kind: 'json', value: { ...answer.body.value, secret: null } } }
    : answer;

const idPath = z.object({ id: z.string().max(64) });
const tag = 'API keys';

const createKey = changeRoute({
  method: 'post',
  path: '/v1/api-keys',
  name: 'createApiKey',
  tag,
  scope: 'admin',
  summary: 'Makes a key of this namespace; its secret is in this answer only',
  body: jsonBody(
    z.strictObject({
      name: z.string(),
      scopes: z.array(z.string()).max(64),
      expiresAt: timeInput.nullable().exactOptional(),
    }),
  ),
  answers: {
    201: { description: 'The key with its secret', json: createdDocument, headers: { Location: 'The key' } },
  },
  problems: ['invalid_api_key', 'too_many_api_keys'],
  change: async (tx, { namespace, body, now }) => {
    const { key, secret } = await createApiKey(tx, { namespace, now, ...body });
    return json(201, { ...toDocument(key), secret }, { Location: `/v1/api-keys/${key.id}` });
  },
  remembered: withoutSecret,
});

const listKeys = route({
  method: 'get',
  path: '/v1/api-keys',
  name: 'listApiKeys',
  tag,
  scope: 'admin',
  summary: 'The keys of this namespace in the order they were made',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(apiKeyDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const after = positionOf(query.cursor, z.string());
    const keys = await listApiKeys(database, namespace, {
      limit: query.limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    return json(200, pageAfter(keys, query.limit, { item: toDocument, position: ({ id }) => id }));
  },
});

const getKey = route({
  method: 'get',
  path: '/v1/api-keys/{id}',
  name: 'getApiKey',
  tag,
  scope: 'admin',
  summary: 'One key',
  parameters: { path: idPath },
  answers: { 200: { description: 'The key', json: apiKeyDocument } },
  problems: ['not_found'],
  handle: async ({ database }, { namespace, path }) => {
    const key = await getApiKey(database, namespace, path.id);
    if (key === undefined) throw new Problem('not_found', 'there is no such API key');
    return json(200, toDocument(key));
  },
});

const rotateKey = changeRoute({
  method: 'post',
  path: '/v1/api-keys/{id}/rotate',
  name: 'rotateApiKey',
  tag,
  scope: 'admin',
  summary: 'Puts a new key with the same name and scopes in the place of one',
  parameters: { path: idPath },
  body: jsonBody(
    z.strictObject({
      overlapSeconds: z
        .int()
        .min(0)
        .max(ROTATION_OVERLAP_MICROS_MAX / MICROS_PER_SECOND)
        .default(ROTATION_OVERLAP_MICROS / MICROS_PER_SECOND)
        .meta({ description: 'For so long the old secret stays valid' }),
    }),
  ),
  answers: {
    201: {
      description: 'The new key with its secret',
      json: createdDocument,
      headers: { Location: 'The new key' },
    },
  },
  problems: [
    'api_key_not_found',
    'api_key_ended',
    'api_key_replaced',
    'invalid_api_key',
    'too_many_api_keys',
  ],
  change: async (tx, { namespace, path, body, now }) => {
    const overlapMicros = body.overlapSeconds * MICROS_PER_SECOND;
    const { key, secret } = await rotateApiKey(tx, { namespace, id: path.id, overlapMicros, now });
    return json(201, { ...toDocument(key), secret }, { Location: `/v1/api-keys/${key.id}` });
  },
  remembered: withoutSecret,
  committed: ({ keys }, { path }) => keys.forget(path.id),
});

const revokeKey = changeRoute({
  method: 'delete',
  path: '/v1/api-keys/{id}',
  name: 'revokeApiKey',
  tag,
  scope: 'admin',
  summary: 'Makes a key invalid: here at once, in other processes within a minute',
  parameters: { path: idPath },
  answers: { 200: { description: 'The key, revoked', json: apiKeyDocument } },
  problems: ['api_key_not_found'],
  change: async (tx, { namespace, path, now }) =>
    json(200, toDocument(await revokeApiKey(tx, { namespace, id: path.id, now }))),
  committed: ({ keys }, { path }) => keys.forget(path.id),
});

export const KEY_ROUTES: readonly Route[] = [createKey, listKeys, getKey, rotateKey, revokeKey];
