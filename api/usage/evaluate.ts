import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { evaluationSteps } from '#domain/evaluation/evaluate-usage.ts';
import {
  ALIGNMENTS,
  ROUNDING_FUNCTIONS,
  type EvaluatedEvent,
  type EvaluationQuery,
} from '#domain/evaluation/evaluation.ts';
import { EVALUATION_EVENTS_MAX, EVALUATION_ROWS_MAX, HTTP_BODY_BYTES_MAX } from '#domain/limits.ts';
import { AGGREGATIONS } from '#domain/metering/accumulator.ts';
import { DEAD_LETTER_REASONS } from '#domain/metering/dead-letter.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { exactJsonText } from '../http/exact-json.ts';
import { route } from '../http/route.ts';
import { quantityInput, recordInput, timeInput, timeOutput } from '../http/schemas.ts';
import { rowDocument, tag, timezoneInput, toRowDocument, windowInput } from './documents.ts';
import { inTurns } from './in-turns.ts';

const evaluatedMeter = z.strictObject({
  name: z.string().nullish(),
  eventType: z.string().nullish().meta({ description: 'Without it the meter is of every event' }),
  aggregation: z.enum(AGGREGATIONS),
  value: z.string().nullish().meta({ description: 'A dotted path into `data`', example: 'tokens' }),
  dimensions: recordInput(z.string())
    .nullish()
    .meta({ description: 'Name -> dotted path into `data`', example: { model: 'model' } }),
  filter: z.string().nullish().meta({ description: 'A CEL condition' }),
});

const evaluatedEvent = z
  .looseObject({
    id: z.string().nullish().meta({ description: 'Without it the event is no copy of any other' }),
    source: z.string().nullish(),
    type: z.string().nullish(),
    subject: z.string().nullish(),
    time: z.string().nullish().meta({ format: 'date-time', example: '2026-03-01T00:00:00Z' }),
    storedAt: timeInput.nullish(),
    data: z.unknown().optional(),
  })
  .meta({ description: 'A CloudEvent of which everything but its time may be left out' });

const evaluatedQuery = z.strictObject({
  from: timeInput,
  to: timeInput,
  window: windowInput.nullish(),
  timezone: timezoneInput.nullish(),
  groupBy: z.array(z.string()).nullish().meta({ description: 'Dimensions, and `subject`' }),
  filter: recordInput(z.union([z.string().transform((value) => [value]), z.array(z.string()).min(1)]))
    .nullish()
    .meta({ description: 'Dimension -> the values that count', example: { model: ['m1', 'm2'] } }),
  initialLevel: quantityInput
    .nullish()
    .meta({ description: 'timeWeightedSum: the level when the range begins, in place of what was before' }),
  emptyIsZero: z.boolean().nullish().meta({ description: 'An empty window is 0, never null' }),
  floorAtZero: z.boolean().nullish().meta({ description: 'A value below 0 is 0' }),
  omitEmpty: z.boolean().nullish().meta({ description: 'No row for a window without usage' }),
  align: z
    .enum(ALIGNMENTS)
    .nullish()
    .meta({ description: 'Whether the first and last window are cut to the range or the range is widened' }),
  rounding: z
    .strictObject({ function: z.enum(ROUNDING_FUNCTIONS), scale: z.int().default(0) })
    .nullish()
    .meta({ description: 'Rounds values to so many decimals; below 0 to tens, hundreds and so on' }),
  storedFrom: timeInput.nullish(),
  storedBefore: timeInput.nullish().meta({ description: 'Only events stored before count' }),
});

const evaluationDocument = z
  .object({
    from: timeOutput,
    to: timeOutput,
    window: windowInput,
    timezone: z.string(),
    rows: z.array(rowDocument),
    events: z.object({
      counted: z.int(),
      duplicates: z.int(),
      conflicts: z.int(),
      unmatched: z.int(),
      notStored: z.int(),
      refused: z.array(z.object({ index: z.int(), reason: z.enum(DEAD_LETTER_REASONS), detail: z.string() })),
    }),
  })
  .meta({ id: 'UsageEvaluation' });

export const evaluateUsageRoute = route({
  method: 'post',
  path: '/v1/usage/evaluate',
  name: 'evaluateUsage',
  tag,
  scope: 'usage:read',
  summary: 'What usage would be: a meter, events and a query in, rows out; nothing is stored',
  description:
    `By the product's own arithmetic, for at most ${EVALUATION_EVENTS_MAX} events and ${EVALUATION_ROWS_MAX} windows and rows. ` +
    '`events` of the answer says where each one went; a refused one would be a dead letter.',
  body: jsonBody(
    z.strictObject({
      meter: evaluatedMeter,
      events: z.array(evaluatedEvent).max(EVALUATION_EVENTS_MAX),
      query: evaluatedQuery,
    }),
    { bytesMax: HTTP_BODY_BYTES_MAX },
  ),
  answers: { 200: { description: 'The rows', json: evaluationDocument } },
  problems: ['invalid_query'],
  handle: async (_services, { namespace, body, signal }) => {
    const query = toQuery(body.query);
    const evaluation = { namespace, meter: given(body.meter), events: body.events.map(toEvent), query };
    const answer = await inTurns(evaluationSteps(evaluation), signal());
    return json(200, {
      ...answer,
      from: formatInstant(answer.from),
      to: formatInstant(answer.to),
      window: query.window,
      rows: answer.rows.map(toRowDocument),
    });
  },
});

/** In a body null says the same as leaving a field out. */
type Given<Value> = { readonly [Name in keyof Value]: Exclude<Value[Name], null> };

const given = <Value extends object>(value: Value): Given<Value> =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null)) as Given<Value>;

function toEvent({ data, ...named }: z.output<typeof evaluatedEvent>): EvaluatedEvent {
  const { id, source, type, subject, time, storedAt } = given(named);
  return { id, source, type, subject, time, storedAt, data: exactJsonText(data ?? null) };
}

const toQuery = (query: z.output<typeof evaluatedQuery>): EvaluationQuery => ({
  ...given(query),
  window: query.window ?? 'none',
  timezone: query.timezone ?? 'UTC',
});
