import { z } from 'zod';
import { MIGRATED_PER_CALL_MAX } from '#domain/limits.ts';
import { migrateSubscriptions } from '#infra/subscriptions/migrate-subscriptions.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import { changeRoute, type Route } from '../http/route.ts';
import { keyInput } from '../http/schemas.ts';
import { migrationDocument, toMigrationDocument } from './documents.ts';
import { migrationInput } from './inputs.ts';
import { tag } from './tag.ts';

const versionPath = z.object({
  key: keyInput.meta({ example: 'pro' }),
  version: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be a whole number from 1')
    .transform(Number)
    .meta({ override: { type: 'integer', minimum: 1 } }),
});

const migrateRoute = changeRoute({
  method: 'post',
  path: '/v1/plans/{key}/versions/{version}/migrate',
  name: 'migrateSubscriptions',
  tag,
  scope: 'billing:write',
  ofMoney: true,
  summary: 'Moves subscriptions from one version of a plan to this one',
  description:
    `At most ${MIGRATED_PER_CALL_MAX} a call, all of them or none; \`nextCursor\` goes on. Who cannot be moved is named and stays. ` +
    'Beginning again from the start moves nobody twice.',
  parameters: { path: versionPath, query: z.strictObject(previewQuery) },
  body: jsonBody(migrationInput),
  answers: { 200: { description: 'Who is moved, who is not, and what it changes', json: migrationDocument } },
  problems: ['plan_not_found', 'plan_archived', 'plan_version_not_found', 'plan_version_not_active'],
  change: async (tx, { namespace, path: { key, version }, query, body, now }) => {
    const { cursor, ...said } = body;
    const migration = { namespace, plan: key, version, ...said, after: cursor, now };
    return json(200, toMigrationDocument(await migrateSubscriptions(asPreviewed(tx, query), migration)));
  },
});

export const MIGRATION_ROUTES: readonly Route[] = [migrateRoute];
