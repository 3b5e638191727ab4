import { z } from 'zod';
import { CORRECTION_EVENTS_MAX } from '#domain/limits.ts';
import type { AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import {
  cancelCorrection,
  createCorrection,
  listCorrections,
  readCorrection,
  undoCorrection,
} from '#infra/corrections/corrections.ts';
import { foreseeCorrection } from '#infra/corrections/foresee-correction.ts';
import { prepareCorrection } from '#infra/corrections/prepare-correction.ts';
import { inTurns } from '../background/background-runner.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { previewQuery } from '../http/preview.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { listQuery, pageOf } from '../http/schemas.ts';
import {
  correctionDocument,
  correctionInput,
  foreseenDocument,
  reasonInput,
  toCorrection,
  toForeseen,
  toRequest,
} from './documents.ts';

const tag = 'Events';

interface Asking {
  readonly principal: { readonly keyId: string };
  readonly requestId: string;
  readonly now: number;
  readonly body: { readonly reason: string };
}

/** Who asks for a change, and why. */
export const originOf = ({ principal, requestId, now, body }: Asking): AuditOrigin => ({
  principal: principal.keyId,
  reason: body.reason,
  now,
  requestId,
});

const create = changeRoute({
  method: 'post',
  path: '/v1/corrections',
  name: 'createCorrection',
  tag,
  scope: 'admin',
  summary: 'Voids, restores or amends all events that a filter means',
  description:
    `Up to ${CORRECTION_EVENTS_MAX} events. It goes on after the answer, in small steps beside the stream, and after a restart. Only events that were counted
by \`asOf\` are meant, so what comes later is left alone. Each event is changed once, however often it goes on; an undo brings back exactly those.
An amendment puts an event with a new id in the place of each, which names the old one in its attribute \`amends\`.
A preview goes the same way without changing anything; it takes as long as there are events.`.replaceAll(
      '\n',
      ' ',
    ),
  parameters: { query: z.strictObject(previewQuery) },
  body: jsonBody(correctionInput),
  answers: {
    200: { description: 'A preview: what it would do', json: foreseenDocument },
    201: { description: 'The correction', json: correctionDocument, headers: { Location: 'The correction' } },
  },
  problems: ['invalid_correction', 'too_many_events'],
  prepare: async (services, { namespace, body, query, signal }) => {
    const prepared = await prepareCorrection(services.database, { namespace, ...toRequest(body) });
    if (!query.preview) return { prepared };
    const turns = { signal: signal(), breathe: inTurns() };
    return { prepared, seen: await foreseeCorrection(services, prepared, turns) };
  },
  change: async (tx, request, _services, { prepared, seen }) => {
    if (seen !== undefined) return json(200, toForeseen(seen));
    const row = createCorrection(tx, prepared, originOf(request));
    return json(201, toCorrection(row), { Location: `/v1/corrections/${row.id}` });
  },
  committed: ({ corrections }, { namespace, query }) => {
    if (!query.preview) corrections.start(namespace);
  },
});

const list = route({
  method: 'get',
  path: '/v1/corrections',
  name: 'listCorrections',
  tag,
  scope: 'admin',
  summary: 'Corrections by filter, the newest first',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(correctionDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query: { cursor, limit } }) => {
    const before = positionOf(cursor, z.string());
    const rows = await listCorrections(database, namespace, { before, limit: limit + 1 });
    return json(200, pageAfter(rows, limit, { item: toCorrection, position: ({ id }) => id }));
  },
});

const path = z.object({ id: z.string().max(64) });

const getOne = route({
  method: 'get',
  path: '/v1/corrections/{id}',
  name: 'getCorrection',
  tag,
  scope: 'admin',
  summary: 'One correction: how far it is, and what became of its events',
  parameters: { path },
  answers: { 200: { description: 'The correction', json: correctionDocument } },
  problems: ['correction_not_found'],
  handle: async ({ database }, { namespace, path: { id } }) =>
    json(200, toCorrection(await readCorrection(database, { namespace, id }))),
});

const cancel = changeRoute({
  method: 'post',
  path: '/v1/corrections/{id}/cancel',
  name: 'cancelCorrection',
  tag,
  scope: 'admin',
  summary: 'Lets a correction end where it is',
  description: 'What it has changed stays, until it is undone.',
  parameters: { path },
  body: jsonBody(z.strictObject({ reason: reasonInput })),
  answers: { 200: { description: 'The correction', json: correctionDocument } },
  problems: ['correction_not_found', 'correction_not_possible'],
  change: async (tx, request) => {
    const { namespace } = request;
    const name = { namespace, id: request.path.id };
    return json(200, toCorrection(await cancelCorrection(tx, name, originOf(request))));
  },
  committed: ({ corrections }, { namespace }) => corrections.start(namespace),
});

const undo = changeRoute({
  method: 'post',
  path: '/v1/corrections/{id}/undo',
  name: 'undoCorrection',
  tag,
  scope: 'admin',
  summary: 'Undoes a correction',
  description:
    'Exactly the events that it changed are again as they were, but for those that were corrected otherwise since: they are left alone.',
  parameters: { path },
  body: jsonBody(z.strictObject({ reason: reasonInput })),
  answers: {
    200: { description: 'The correction, which goes on after the answer', json: correctionDocument },
  },
  problems: ['correction_not_found', 'correction_not_possible'],
  change: async (tx, request) => {
    const { namespace } = request;
    const name = { namespace, id: request.path.id };
    return json(200, toCorrection(await undoCorrection(tx, name, originOf(request))));
  },
  committed: ({ corrections }, { namespace }) => corrections.start(namespace),
});

export const CORRECTION_BY_FILTER_ROUTES: readonly Route[] = [create, list, getOne, cancel, undo];
