import { z } from 'zod';
import {
  ENFORCEMENTS,
  listEventTypes,
  putEventType,
  readEventType,
  type EventType,
} from '#infra/catalogue/event-types.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { exactJsonText } from '../http/exact-json.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { listQuery, nameInput, pageOf, pathNameInput } from '../http/schemas.ts';

const tag = 'Event types';
const typePath = z.object({ type: pathNameInput });

const enforce = z.enum(ENFORCEMENTS).meta({
  description:
    '`reject`: an event that does not follow the schema is refused; `report`: it counts, and is reported',
});
const schemaDocument = z.looseObject({}).nullable().meta({
  description: 'A JSON Schema (2020-12) of `data`, without references to elsewhere; null: anything goes',
});

const eventTypeInput = z
  .strictObject({ schema: schemaDocument.default(null), enforce: enforce.default('report') })
  .meta({
    id: 'EventTypeInput',
    example: {
      schema: { type: 'object', required: ['tokens'], properties: { tokens: { type: 'number' } } },
      enforce: 'reject',
    },
  });

const eventTypeDocument = z
  .object({
    type: z.string(),
    version: z.int(),
    schema: z.unknown(),
    enforce,
    since: z.int().meta({ description: 'The version of the catalogue from which on it holds' }),
  })
  .meta({ id: 'EventType' });

const toDocument = ({ type, version, schema, enforce: enforced, since }: EventType) => ({
  type,
  version,
  schema,
  enforce: enforced,
  since,
});

/** Its numbers are doubles wherever it is used. What none can hold becomes text, which no keyword takes for a number. */
const asDoubles = (schema: unknown): unknown =>
  JSON.parse(exactJsonText(schema), (_key, value: unknown) =>
    value === Infinity || value === -Infinity ? String(value) : value,
  );

const putRoute = changeRoute({
  method: 'put',
  path: '/v1/event-types/{type}',
  name: 'putEventType',
  tag,
  scope: 'catalogue:write',
  summary: 'Says what the data of the events of a type looks like',
  description:
    'It holds for the events that are committed after this answer. Numbers are compared as doubles.',
  parameters: { path: typePath },
  body: jsonBody(eventTypeInput),
  answers: {
    200: { description: 'The event type as it is now', json: eventTypeDocument },
    201: {
      description: 'The event type is new',
      json: eventTypeDocument,
      headers: { Location: 'The event type' },
    },
  },
  problems: ['invalid_event_type', 'too_many_event_types'],
  change: async (tx, { namespace, path: { type }, body }) => {
    const asked = { namespace, type, enforce: body.enforce, schema: asDoubles(body.schema) };
    const { eventType, change } = await putEventType(tx, asked);
    const Location = `/v1/event-types/${encodeURIComponent(type)}`;
    return change === 'created'
      ? json(201, toDocument(eventType), { Location })
      : json(200, toDocument(eventType));
  },
  committed: ({ catalogues }, { namespace }) => catalogues.forget(namespace),
});

const getRoute = route({
  method: 'get',
  path: '/v1/event-types/{type}',
  name: 'getEventType',
  tag,
  scope: 'catalogue:read',
  summary: 'What is said of the events of a type',
  parameters: { path: typePath },
  answers: { 200: { description: 'The event type', json: eventTypeDocument } },
  problems: ['event_type_not_found'],
  handle: async ({ database }, { namespace, path: { type } }) => {
    const eventType = await readEventType(database, namespace, type);
    if (eventType === undefined)
      throw new Problem('event_type_not_found', `nothing was said of the event type ${type}`);
    return json(200, toDocument(eventType));
  },
});

const listRoute = route({
  method: 'get',
  path: '/v1/event-types',
  name: 'listEventTypes',
  tag,
  scope: 'catalogue:read',
  summary: 'Event types of which something was said, by name',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(eventTypeDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const after = positionOf(query.cursor, nameInput);
    const types = await listEventTypes(database, namespace, {
      limit: query.limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    return json(200, pageAfter(types, query.limit, { item: toDocument, position: ({ type }) => type }));
  },
});

export const EVENT_TYPE_ROUTES: readonly Route[] = [putRoute, getRoute, listRoute];
