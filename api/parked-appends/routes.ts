import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { fromHex, toHex } from '#domain/metering/hash128.ts';
import {
  appendParkedRows,
  listParked,
  PARKED_PER_CALL_MAX,
  type ParkedRow,
} from '#infra/usage/append-parked.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { route, type Route } from '../http/route.ts';
import { listQuery, pageOf, timeOutput } from '../http/schemas.ts';

const tag = 'Parked appends';
const REASON_LENGTH_MAX = 500;

const parkedDocument = z
  .object({
    identity: z.string().meta({ description: 'The identity of the event, 32 hex digits' }),
    subject: z.string(),
    source: z.string(),
    id: z.string(),
    error: z.string().meta({ description: 'Why the warehouse refused the row' }),
    parkedAt: timeOutput,
  })
  .meta({ id: 'ParkedAppend' });

const toDocument = ({ identity, subject, row, error, parkedAt }: ParkedRow) => ({
  identity: toHex(identity),
  subject,
  source: String(row['source']),
  id: String(row['id']),
  error,
  parkedAt: formatInstant(parkedAt),
});

const list = route({
  method: 'get',
  path: '/v1/parked-appends',
  name: 'listParkedAppends',
  tag,
  scope: 'usage:read',
  summary: 'Events that count, and whose rows the warehouse refused: by subject',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(parkedDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const position = positionOf(query.cursor, z.tuple([z.string(), z.string().regex(/^[0-9a-f]{32}$/)]));
    const after = position && { subject: position[0], identity: fromHex(position[1]) };
    const rows = await listParked(database, namespace, { after, limit: query.limit + 1 });
    return json(
      200,
      pageAfter(rows, query.limit, {
        item: toDocument,
        position: ({ subject, identity }) => [subject, toHex(identity)] as const,
      }),
    );
  },
});

const append = route({
  method: 'post',
  path: '/v1/parked-appends/append',
  name: 'appendParkedRows',
  tag,
  scope: 'admin',
  summary: 'Appends parked rows to the warehouse again',
  description: `Those that are named, or the first ${PARKED_PER_CALL_MAX}. What the warehouse takes is no longer parked; invoices and backfills go on.`,
  body: jsonBody(
    z.strictObject({
      identities: z
        .array(z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits'))
        .min(1)
        .max(PARKED_PER_CALL_MAX)
        .exactOptional(),
      reason: z
        .string()
        .max(REASON_LENGTH_MAX)
        .default('')
        .meta({ description: 'Why, for the audit entries' }),
    }),
  ),
  answers: {
    200: {
      description: 'What became of them',
      json: z.object({
        appended: z.int(),
        refused: z.array(z.object({ identity: z.string(), error: z.string() })),
      }),
    },
  },
  problems: ['parked_append_not_found'],
  idempotent: true,
  handle: async (services, { namespace, body, principal, requestId, now }) => {
    const origin = { principal: principal.keyId, requestId, now, reason: body.reason };
    const identities = body.identities?.map(fromHex);
    const { appended, refused } = await appendParkedRows(services, { namespace, identities, origin });
    return json(200, {
      appended,
      refused: refused.map(({ identity, error }) => ({ identity: toHex(identity), error })),
    });
  },
});

export const PARKED_APPEND_ROUTES: readonly Route[] = [list, append];
