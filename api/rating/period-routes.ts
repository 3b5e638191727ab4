import { z } from 'zod';
import { STUBS } from '#domain/calendar/billing-period.ts';
import { evaluatePeriods } from '#domain/calendar/evaluate-periods.ts';
import {
  LEADING_STUBS,
  type EvaluatedPeriod,
  type PeriodsQuestion,
  type StubProration,
} from '#domain/calendar/periods-question.ts';
import { LAST_DAYS, PRORATION_BASES } from '#domain/calendar/proration.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { EVALUATED_PERIODS_MAX, FRACTION_DECIMALS_MAX } from '#domain/limits.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { route, type Route } from '../http/route.ts';
import { quantityOutput, timeInput, timeOutput } from '../http/schemas.ts';
import { anchorInput, toAnchor } from './anchor-input.ts';
import { tag } from './tag.ts';

const prorationInput = z.union([
  z.enum(PRORATION_BASES),
  z.strictObject({
    basis: z.enum(PRORATION_BASES),
    lastDay: z.enum(LAST_DAYS).nullish().meta({
      description: 'By `day`: whether the day on which a period ends counts. The default is `excluded`',
    }),
    daysPerMonth: z
      .int()
      .min(1)
      .max(31)
      .nullish()
      .meta({ description: 'By `day`: every month has so many days, such as 30' }),
    leadingStub: z.enum(LEADING_STUBS).nullish().meta({
      description:
        'What a part at the start is a part of: a period counted from the anchor (`aligned`, the default), or from its own end',
    }),
  }),
]);

const questionInput = z
  .strictObject({
    anchor: anchorInput.nullish(),
    cadence: z
      .string()
      .max(64)
      .meta({ description: 'An ISO 8601 duration in whole minutes', example: 'P1M' }),
    start: timeInput,
    end: timeInput.nullish().meta({ description: 'Without it the periods go on' }),
    timezone: z
      .string()
      .max(64)
      .nullish()
      .meta({ description: 'An IANA name; UTC when left out', example: 'Europe/Berlin' }),
    until: timeInput.meta({ description: 'Periods that begin at or before it are answered' }),
    proration: prorationInput.nullish().meta({ description: '`exact` when left out' }),
    scale: z
      .int()
      .min(0)
      .max(FRACTION_DECIMALS_MAX)
      .nullish()
      .meta({ description: 'Decimals of the fractions, rounded half up; 18 when left out' }),
  })
  .meta({ id: 'PeriodsQuestion' });

const rangeDocument = z.object({ from: timeOutput, to: timeOutput });

const periodsDocument = z
  .object({
    periods: z.array(
      rangeDocument.extend({
        fraction: quantityOutput,
        share: z
          .object({ part: z.int(), whole: z.int(), unit: z.enum(['minute', 'day', 'period']) })
          .meta({ description: 'The fraction in whole numbers: part / whole, exact' }),
        of: rangeDocument.meta({ description: 'The whole period that it is, or is a part of' }),
        stub: z
          .enum(STUBS)
          .nullable()
          .meta({ description: 'Which of its ends is not the end of a whole period' }),
      }),
    ),
  })
  .meta({ id: 'PeriodsEvaluation' });

const evaluatePeriodsRoute = route({
  method: 'post',
  path: '/v1/periods/evaluate',
  name: 'evaluatePeriods',
  tag,
  scope: 'billing:read',
  summary: 'The billing periods of a subscription, each with the part of a whole period that it is',
  description:
    `Nothing is stored; at most ${EVALUATED_PERIODS_MAX} periods. Every boundary is counted from the anchor, in the zone's calendar, ` +
    'and moved down to its minute. What a subscription has of a period at its start or end is a stub, whose fraction is below 1.',
  body: jsonBody(questionInput),
  answers: { 200: { description: 'The periods, in order', json: periodsDocument } },
  problems: ['invalid_query'],
  handle: async (_services, { body }) =>
    json(200, { periods: evaluatePeriods(toQuestion(body)).map(toDocument) }),
});

export const PERIOD_ROUTES: readonly Route[] = [evaluatePeriodsRoute];

/** In a body null says the same as leaving a field out. */
const toQuestion = ({ cadence, start, until, ...body }: z.output<typeof questionInput>): PeriodsQuestion => ({
  cadence,
  start,
  until,
  anchor: toAnchor(body.anchor ?? 'start'),
  end: body.end ?? undefined,
  timezone: body.timezone ?? 'UTC',
  proration: toProration(body.proration ?? 'exact'),
  scale: body.scale ?? undefined,
});

const toProration = (proration: z.output<typeof prorationInput>): StubProration =>
  typeof proration === 'string'
    ? { basis: proration }
    : {
        basis: proration.basis,
        lastDay: proration.lastDay ?? undefined,
        daysPerMonth: proration.daysPerMonth ?? undefined,
        leadingStub: proration.leadingStub ?? undefined,
      };

const toRange = ({ from, to }: { readonly from: number; readonly to: number }) => ({
  from: formatInstant(from),
  to: formatInstant(to),
});

const toDocument = ({ from, to, of, ...period }: EvaluatedPeriod) => ({
  ...period,
  ...toRange({ from, to }),
  of: toRange(of),
});
