import { z } from 'zod';
import { DISMISSED_LETTERS_MAX, REPLAYED_LETTERS_MAX } from '#domain/limits.ts';
import { DEAD_LETTER_STATES, listDeadLetters, readDeadLetter } from '#infra/usage/dead-letters.ts';
import { dismissDeadLetters } from '#infra/usage/dismiss-dead-letters.ts';
import { replayDeadLetters } from '#infra/usage/replay-dead-letters.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { positionOf } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { listQuery, pageOf } from '../http/schemas.ts';
import {
  deadLetterDocument,
  leftAloneDocument,
  toDocument,
  toLeftAlone,
  toWholeDocument,
  wholeLetterDocument,
} from './documents.ts';
import { cursorOf, filterInputs, idInput, positionSchema, selectionInput, toSelection } from './selection.ts';

const tag = 'Dead letters';
const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'What the next call goes on with; null when all that match have been looked at' });

const listRoute = route({
  method: 'get',
  path: '/v1/dead-letters',
  name: 'listDeadLetters',
  tag,
  scope: 'dead-letters:read',
  summary: 'Messages that were refused, the newest first',
  description: 'A page may be short, even empty, and not be the last: `nextCursor` tells.',
  parameters: {
    query: z.strictObject({
      state: z.enum(DEAD_LETTER_STATES).default('open'),
      ...filterInputs,
      ...listQuery,
    }),
  },
  answers: { 200: { description: 'One page', json: pageOf(deadLetterDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query: { cursor, ...wanted } }) => {
    const after = positionOf(cursor, positionSchema);
    const { letters, next } = await listDeadLetters(database, namespace, {
      ...wanted,
      ...(after && { after }),
    });
    return json(200, { items: letters.map(toDocument), nextCursor: cursorOf(next) });
  },
});

const getRoute = route({
  method: 'get',
  path: '/v1/dead-letters/{id}',
  name: 'getDeadLetter',
  tag,
  scope: 'dead-letters:read',
  summary: 'One dead letter with its original bytes',
  parameters: { path: z.object({ id: idInput }) },
  answers: { 200: { description: 'The dead letter', json: wholeLetterDocument } },
  problems: ['dead_letter_not_found'],
  handle: async ({ database }, { namespace, path }) => {
    const row = await readDeadLetter(database, namespace, path.id);
    if (row === undefined) throw new Problem('dead_letter_not_found', 'there is no such dead letter');
    return json(200, toWholeDocument(row));
  },
});

const replayRoute = route({
  method: 'post',
  path: '/v1/dead-letters/replay',
  name: 'replayDeadLetters',
  tag,
  scope: 'events:write',
  summary: 'Publishes dead letters again, with their original bytes and publish time',
  description:
    `Up to ${REPLAYED_LETTERS_MAX} a call. A letter is closed by the commit that takes its event; one that is refused again stays open.
It is harmless to repeat: an event counts once.`.replaceAll('\n', ' '),
  body: jsonBody(selectionInput),
  answers: {
    202: {
      description: 'Published; counted a moment later',
      json: z.object({ published: z.int(), leftAlone: z.array(leftAloneDocument), nextCursor }),
    },
  },
  problems: ['invalid_cursor', 'too_many_letters'],
  idempotent: true,
  handle: async (services, { namespace, body }) => {
    const { published, leftAlone, next } = await replayDeadLetters(services, namespace, toSelection(body));
    return json(202, { published, leftAlone: leftAlone.map(toLeftAlone), nextCursor: cursorOf(next) });
  },
});

const dismissRoute = changeRoute({
  method: 'post',
  path: '/v1/dead-letters/dismiss',
  name: 'dismissDeadLetters',
  tag,
  scope: 'admin',
  summary: 'Closes dead letters that nobody wants',
  description: `Up to ${DISMISSED_LETTERS_MAX} a call. What is closed is kept for 30 days and can not be replayed.`,
  body: jsonBody(selectionInput),
  answers: {
    200: {
      description: 'Closed',
      json: z.object({ dismissed: z.int(), leftAlone: z.array(leftAloneDocument), nextCursor }),
    },
  },
  problems: ['invalid_cursor', 'too_many_letters'],
  change: async (tx, { namespace, body }) => {
    const { dismissed, leftAlone, next } = await dismissDeadLetters(tx, namespace, toSelection(body));
    return json(200, { dismissed, leftAlone: leftAlone.map(toLeftAlone), nextCursor: cursorOf(next) });
  },
});

export const DEAD_LETTER_ROUTES: readonly Route[] = [listRoute, getRoute, replayRoute, dismissRoute];
