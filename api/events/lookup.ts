import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { toHex } from '#domain/metering/hash128.ts';
import {
  EVENT_FATES,
  lookupEvent,
  type EventCell,
  type FoundEvent,
  type LookedUpEvent,
} from '#infra/usage/lookup-event.ts';
import { deadLetterDocument, toDocument as toDeadLetterDocument } from '../dead-letters/documents.ts';
import { json } from '../http/answer.ts';
import { parseExactJson } from '../http/exact-json.ts';
import { route } from '../http/route.ts';
import { nameInput, quantityOutput, timeOutput } from '../http/schemas.ts';

const foundEventDocument = z
  .object({
    source: z.string(),
    id: z.string(),
    type: z.string(),
    subject: z.string(),
    time: timeOutput,
    data: z
      .unknown()
      .meta({ description: 'What it said, with every digit; null until it is in the warehouse' }),
    attributes: z.record(z.string(), z.unknown()).meta({ description: 'Its other attributes' }),
    committedAt: timeOutput,
    catalogueVersion: z.int().meta({ description: 'What it was counted with' }),
    isAppended: z
      .boolean()
      .meta({ description: 'False while its row is on its way to the warehouse: cells come with it' }),
  })
  .meta({ id: 'FoundEvent' });

const cellDocument = z
  .object({
    meter: z.string(),
    generation: z.int(),
    group: z.record(z.string(), z.string()).nullable(),
    hour: timeOutput,
    value: quantityOutput.meta({ description: 'What the event adds; 1 where a meter only counts' }),
    distinct: z
      .string()
      .exactOptional()
      .meta({ description: 'Of a unique meter: the value the event names' }),
  })
  .meta({ id: 'EventCell' });

const conflictDocument = z
  .object({
    digest: z.string(),
    type: z.string(),
    subject: z.string(),
    time: timeOutput,
    publishTime: timeOutput,
    receivedAt: timeOutput,
  })
  .meta({
    id: 'EventConflict',
    description: 'A copy of the event that said something else: it is not counted',
  });

const lookedUpDocument = z
  .object({
    identity: z.string(),
    state: z.enum(EVENT_FATES),
    event: foundEventDocument.exactOptional(),
    cells: z.array(cellDocument),
    conflicts: z.array(conflictDocument),
    deadLetters: z.array(deadLetterDocument),
  })
  .meta({ id: 'LookedUpEvent' });

interface EventQuery {
  readonly source: string;
  readonly id: string;
}

const toDocument = (name: EventQuery, { identity, state, event, cells, ...others }: LookedUpEvent) => ({
  identity: toHex(identity),
  state,
  ...(event && { event: toEventDocument(name, event) }),
  cells: cells.map(toCellDocument),
  conflicts: others.conflicts.map(toConflictDocument),
  deadLetters: others.deadLetters.map(toDeadLetterDocument),
});

const toEventDocument = ({ source, id }: EventQuery, event: FoundEvent) => ({
  source,
  id,
  type: event.type,
  subject: event.subject,
  time: formatInstant(event.time),
  data: event.data === null ? null : parseExactJson(Buffer.from(event.data)),
  attributes:
    event.attributes === null
      ? {}
      : (parseExactJson(Buffer.from(event.attributes)) as Record<string, unknown>),
  committedAt: formatInstant(event.committedAt),
  catalogueVersion: event.catalogueVersion,
  isAppended: event.isAppended,
});

const toCellDocument = (cell: EventCell) => ({ ...cell, hour: formatInstant(cell.hour) });

const toConflictDocument = ({
  digest,
  type,
  subject,
  time,
  publishTime,
  receivedAt,
}: LookedUpEvent['conflicts'][number]) => ({
  digest: toHex(digest),
  type,
  subject,
  time: formatInstant(time),
  publishTime: formatInstant(publishTime),
  receivedAt: formatInstant(receivedAt),
});

export const lookupRoute = route({
  method: 'get',
  path: '/v1/events/lookup',
  name: 'lookupEvent',
  tag: 'Events',
  scope: 'usage:read',
  summary: 'Where one event went',
  description:
    `\`unseen\`: not committed, or not yet; \`counted\`: the cells say in which meters; \`unmatched\`: taken, and no meter counts it; \`void\`: taken
back; \`expired\`: so long ago that only the warehouse knows it. An event sent several times is one event.`.replaceAll(
      '\n',
      ' ',
    ),
  parameters: { query: z.strictObject({ source: nameInput, id: nameInput }) },
  answers: { 200: { description: 'What is known of it', json: lookedUpDocument } },
  handle: async (services, { namespace, now, query }) =>
    json(200, toDocument(query, await lookupEvent(services, { namespace, now, ...query }))),
});
