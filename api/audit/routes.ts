import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { AUDIT_ACTIONS } from '#infra/audit/actions.ts';
import { listAuditEntries } from '#infra/audit/list-audit-entries.ts';
import type { AuditEntry } from '#infra/audit/tables.ts';
import { json } from '../http/answer.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { listQuery, nameInput, pageOf, timeOutput } from '../http/schemas.ts';

const auditEntryDocument = z
  .object({
    id: z.uuid(),
    at: timeOutput,
    principal: z.string().meta({ description: 'Who: the id of an API key, or the name of a command' }),
    action: z.string().meta({ description: `One of ${AUDIT_ACTIONS.join(', ')}` }),
    target: z.object({
      kind: z.string(),
      id: z.string().meta({ description: 'Of an event its identity in hex' }),
    }),
    reason: z.string(),
    details: z.record(z.string(), z.unknown()),
    requestId: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });

const toDocument = (entry: AuditEntry) => ({
  id: entry.id,
  at: formatInstant(entry.at),
  principal: entry.principal,
  action: entry.action,
  target: { kind: entry.targetKind, id: entry.target },
  reason: entry.reason,
  details: { ...entry.details },
  requestId: entry.requestId,
});

const list = route({
  method: 'get',
  path: '/v1/audit-entries',
  name: 'listAuditEntries',
  tag: 'Operation',
  scope: 'admin',
  summary: 'Who changed what by hand, when and why, the newest first',
  description:
    'With `targetKind` and `target` only what was done to one thing, such as `correction` and its id.',
  parameters: {
    query: z.strictObject({
      targetKind: z.string().max(64).exactOptional().meta({ example: 'correction' }),
      target: nameInput.exactOptional(),
      ...listQuery,
    }),
  },
  answers: { 200: { description: 'One page', json: pageOf(auditEntryDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query: { targetKind, target, cursor, limit } }) => {
    if ((targetKind === undefined) !== (target === undefined))
      throw new Problem('invalid_request', 'targetKind and target go together');
    const of = targetKind === undefined || target === undefined ? undefined : { targetKind, target };
    const before = positionOf(cursor, z.string());
    const entries = await listAuditEntries(database, namespace, { of, before, limit: limit + 1 });
    return json(200, pageAfter(entries, limit, { item: toDocument, position: ({ id }) => id }));
  },
});

export const AUDIT_ROUTES: readonly Route[] = [list];
