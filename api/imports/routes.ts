import { z } from 'zod';
import { IMPORT_PART_LINES_MAX, IMPORT_PARTS_MAX } from '#domain/limits.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { readCorrection } from '#infra/corrections/corrections.ts';
import { foreseeImport } from '#infra/imports/foresee-import.ts';
import {
  applyImport,
  cancelImport,
  createImport,
  listImports,
  preparePart,
  putPart,
  readImport,
  undoImport,
} from '#infra/imports/imports.ts';
import { prepareUndo } from '#infra/imports/prepare-undo.ts';
import { inTurns } from '../background/background-runner.ts';
import { correctionDocument, reasonInput, toCorrection } from '../corrections/documents.ts';
import { originOf } from '../corrections/routes.ts';
import { json } from '../http/answer.ts';
import { jsonBody, rawBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { previewQuery } from '../http/preview.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { listQuery, pageOf, wholeNumberInput } from '../http/schemas.ts';
import {
  foreseenImportDocument,
  importDocument,
  partDocument,
  toForeseenImport,
  toImport,
  toPart,
} from './documents.ts';

const tag = 'Events';
const path = z.object({ id: z.string().max(64) });
const reasonBody = jsonBody(z.strictObject({ reason: reasonInput }));

const create = changeRoute({
  method: 'post',
  path: '/v1/imports',
  name: 'createImport',
  tag,
  scope: 'admin',
  summary: 'Begins an import of old events',
  description:
    'The only way in for events that happened more than 45 days ago. Send parts, look at the preview, and apply it; it can be taken back as a whole.',
  body: reasonBody,
  answers: {
    201: { description: 'The import', json: importDocument, headers: { Location: 'The import' } },
  },
  change: async (tx, request) => {
    const row = createImport(tx, request.namespace, originOf(request));
    const staged = { row, parts: 0, events: 0, bytes: 0, refusedLines: 0, refused: [], span: null };
    return json(201, toImport(staged), { Location: `/v1/imports/${row.id}` });
  },
});

const list = route({
  method: 'get',
  path: '/v1/imports',
  name: 'listImports',
  tag,
  scope: 'admin',
  summary: 'Imports, the newest first',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(importDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query: { cursor, limit } }) => {
    const before = positionOf(cursor, z.string());
    const rows = await inSnapshot(database, (snapshot) =>
      listImports(snapshot, namespace, { before, limit: limit + 1 }),
    );
    return json(200, pageAfter(rows, limit, { item: toImport, position: ({ row }) => row.id }));
  },
});

const getOne = route({
  method: 'get',
  path: '/v1/imports/{id}',
  name: 'getImport',
  tag,
  scope: 'admin',
  summary: 'One import: what is staged, how far it is, and what was refused',
  parameters: { path },
  answers: { 200: { description: 'The import', json: importDocument } },
  problems: ['import_not_found'],
  handle: async ({ database }, { namespace, path: { id } }) =>
    json(200, toImport(await inSnapshot(database, (snapshot) => readImport(snapshot, { namespace, id })))),
});

const putOnePart = changeRoute({
  method: 'put',
  path: '/v1/imports/{id}/parts/{part}',
  name: 'putImportPart',
  tag,
  scope: 'admin',
  summary: 'Stages a part of an import: one CloudEvent a line',
  description:
    `Up to ${IMPORT_PART_LINES_MAX} lines of structured CloudEvents as JSON, each with its \`time\`; up to ${IMPORT_PARTS_MAX} parts, numbered by the caller. A part that is sent
again takes the place of the first. Parts may come in any order; lines in the order of their times are counted fastest. Every refused line is counted, the first are
named.`.replaceAll('\n', ' '),
  parameters: { path: path.extend({ part: wholeNumberInput(1, IMPORT_PARTS_MAX) }) },
  body: rawBody({
    'application/x-ndjson': z.string().meta({
      example:
        '{"specversion":"1.0","id":"1","source":"urn:old","type":"llm.request","subject":"acme","time":"2024-01-01T00:00:00Z","data":{"tokens":5}}',
    }),
  }),
  answers: { 200: { description: 'What was staged', json: partDocument } },
  problems: ['invalid_import', 'import_not_found', 'import_not_possible'],
  prepare: ({ database }, { namespace, path: { id, part }, body }) =>
    preparePart(database, { namespace, id, part }, body.bytes, inTurns()),
  change: async (tx, _request, _services, prepared) => json(200, toPart(await putPart(tx, prepared))),
});

const apply = changeRoute({
  method: 'post',
  path: '/v1/imports/{id}/apply',
  name: 'applyImport',
  tag,
  scope: 'admin',
  summary: 'Counts what was staged',
  description:
    `It goes on after the answer, and after a restart. Each event counts once, however often it is imported. The meters of now count it. Where a line is refused, nothing is
counted, unless \`skipRefused\` leaves those out. A preview goes the same way without counting anything; it takes as long as there are events.`.replaceAll(
      '\n',
      ' ',
    ),
  parameters: { path, query: z.strictObject(previewQuery) },
  body: jsonBody(z.strictObject({ reason: reasonInput, skipRefused: z.boolean().exactOptional() })),
  answers: {
    200: { description: 'A preview: what it would do', json: foreseenImportDocument },
    202: { description: 'The import', json: importDocument },
  },
  problems: ['import_not_found', 'import_not_possible', 'import_has_violations'],
  prepare: async (services, { namespace, path: { id }, query, now, signal }) =>
    query.preview
      ? foreseeImport(services, { namespace, id }, { now, signal: signal(), breathe: inTurns() })
      : undefined,
  change: async (tx, request, _services, seen) => {
    if (seen !== undefined) return json(200, toForeseenImport(seen));
    const { namespace, body } = request;
    const name = { namespace, id: request.path.id };
    const staged = await readImport(tx, name);
    const row = await applyImport(tx, { ...name, skipRefused: body.skipRefused ?? false }, originOf(request));
    return json(202, toImport({ ...staged, row }));
  },
  committed: ({ imports }, { namespace }) => imports.start(namespace),
});

const cancel = changeRoute({
  method: 'post',
  path: '/v1/imports/{id}/cancel',
  name: 'cancelImport',
  tag,
  scope: 'admin',
  summary: 'Lets an import go, or end where it is',
  description: 'What it has counted stays, until it is undone.',
  parameters: { path },
  body: reasonBody,
  answers: { 200: { description: 'The import', json: importDocument } },
  problems: ['import_not_found', 'import_not_possible'],
  change: async (tx, request) => {
    const name = { namespace: request.namespace, id: request.path.id };
    const staged = await readImport(tx, name);
    return json(200, toImport({ ...staged, row: await cancelImport(tx, name, originOf(request)) }));
  },
  committed: ({ imports }, { namespace }) => imports.start(namespace),
});

const undo = changeRoute({
  method: 'post',
  path: '/v1/imports/{id}/undo',
  name: 'undoImport',
  tag,
  scope: 'admin',
  summary: 'Takes back all that an import has counted',
  description: 'By a correction, which can be undone like any other.',
  parameters: { path },
  body: reasonBody,
  answers: { 200: { description: 'The correction', json: correctionDocument } },
  problems: ['import_not_found', 'import_not_possible'],
  prepare: ({ database }, { namespace, path: { id } }) => prepareUndo(database, { namespace, id }),
  change: async (tx, request, _services, prepared) => {
    const name = { namespace: request.namespace, id: request.path.id };
    const made = await undoImport(tx, name, { origin: originOf(request), prepared });
    const row = typeof made === 'string' ? await readCorrection(tx, { ...name, id: made }) : made;
    return json(200, toCorrection(row));
  },
  committed: ({ corrections }, { namespace }) => corrections.start(namespace),
});

export const IMPORT_ROUTES: readonly Route[] = [create, list, getOne, putOnePart, apply, cancel, undo];
