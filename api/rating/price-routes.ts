import { z } from 'zod';
import {
  CURRENCY_DECIMALS_MAX,
  HTTP_BODY_BYTES_MAX,
  PRICE_CURVE_POINTS_MAX,
  PRICE_EVALUATION_PARTS_MAX,
  PRICE_EVALUATION_USAGE_MAX,
} from '#domain/limits.ts';
import { evaluatePrice } from '#domain/pricing/evaluate-price.ts';
import type { EvaluatedBefore, EvaluatedUsage, PriceEvaluation } from '#domain/pricing/evaluation.ts';
import { CURVE_STEPS_DEFAULT, curveSteps } from '#domain/pricing/price-curve.ts';
import { LINE_KINDS } from '#domain/pricing/settle.ts';
import { RATE_MODES, ROUNDING_SCOPES, SEGMENT_PLACES } from '#domain/pricing/usage.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { route, type Route } from '../http/route.ts';
import { quantityOutput, recordInput } from '../http/schemas.ts';
import { inTurns } from '../usage/in-turns.ts';
import { chargeInput, decimalInput, upTo } from './charge-input.ts';
import { lineOutput, workingOutput } from './line-output.ts';
import { tag } from './tag.ts';

const dimensionsInput = recordInput(z.string());

const groupsInput = upTo(
  z.strictObject({ dimensions: dimensionsInput, quantity: decimalInput }),
  PRICE_EVALUATION_USAGE_MAX,
);

const usageInput = z
  .union([
    z.strictObject({
      quantity: decimalInput,
      tierQuantity: decimalInput
        .nullish()
        .meta({ description: 'Selects the tier of a volume price in place of the quantity' }),
    }),
    z.strictObject({ groups: groupsInput }),
    z.strictObject({
      events: upTo(
        z.strictObject({ value: decimalInput, dimensions: dimensionsInput.nullish() }),
        PRICE_EVALUATION_USAGE_MAX,
      ).meta({ description: 'In the order of their time' }),
    }),
    z.strictObject({ seats: decimalInput }),
  ])
  .meta({ description: 'What was used, as one quantity, by group or event by event; or how many seats' });

const beforeInput = z
  .strictObject({
    quantity: decimalInput,
    amount: decimalInput.meta({ description: 'What it came to, as it was billed' }),
    gross: decimalInput
      .nullish()
      .meta({ description: 'The same before discounts; prices of events with a fixed discount need it' }),
    events: z.int().nullish().meta({ description: 'How many there were; prices with free events need it' }),
    groups: groupsInput
      .nullish()
      .meta({ description: 'What each had; prices of groups with tiers or free units need it' }),
  })
  .meta({ description: 'What of the same period has been billed already: tiers and free units go on' });

const currencyInput = z.string().max(8).meta({ description: 'ISO 4217', example: 'USD' });
const dateInput = z.string().max(32).meta({
  description: 'The local day whose price is asked for, of a charge with `rates`',
  example: '2026-03-01',
});

const questionInput = z
  .strictObject({
    currency: currencyInput,
    charge: chargeInput,
    usage: usageInput,
    before: beforeInput.nullish(),
    segment: z
      .enum(SEGMENT_PLACES)
      .nullish()
      .meta({
        description:
          'Which part of a period that is billed in parts. In-advance fees are due with the first, arrears and minimums with ' +
          'the last. `full` when left out',
      }),
    mode: z.enum(RATE_MODES).nullish().meta({
      description: "Whether `usage` is this segment's own (the default) or the period's total so far",
    }),
    rounding: z
      .enum(ROUNDING_SCOPES)
      .nullish()
      .meta({ description: 'What is rounded once: a line (the default), each part of one, or nothing' }),
    scale: z
      .int()
      .nullish()
      .meta({
        description: `Decimals to round to, 0 to ${CURRENCY_DECIMALS_MAX}; those of the currency when left out`,
      }),
    fraction: decimalInput.nullish().meta({
      description: 'The part of a period that is rated, 0 to 1; the whole when left out',
      example: '0.5',
    }),
    date: dateInput.nullish(),
  })
  .meta({ id: 'PriceQuestion' });

const evaluationDocument = z
  .object({
    amount: quantityOutput.meta({ description: 'The sum of the lines' }),
    currency: z.string(),
    lines: z.array(
      z.object({
        kind: z.enum(LINE_KINDS),
        description: z.string(),
        ...lineOutput,
        amount: quantityOutput.meta({ description: 'Rounded once' }),
      }),
    ),
    working: workingOutput,
  })
  .meta({ id: 'PriceEvaluation' });

const evaluatePriceRoute = route({
  method: 'post',
  path: '/v1/prices/evaluate',
  name: 'evaluatePrice',
  tag,
  scope: 'billing:read',
  summary: 'What one charge comes to for given usage, with its working',
  description:
    `Nothing is stored. At most ${PRICE_EVALUATION_USAGE_MAX} groups or events; groups times tiers at most ` +
    `${PRICE_EVALUATION_PARTS_MAX}. Every fault of the question is named at once.`,
  body: jsonBody(questionInput, { bytesMax: HTTP_BODY_BYTES_MAX }),
  answers: { 200: { description: 'The lines, what they come to, and how', json: evaluationDocument } },
  problems: ['invalid_query'],
  handle: async (_services, { body }) => {
    const { working, ...answer } = evaluatePrice(toQuestion(body));
    return json(200, { ...answer, working: working.map((stage) => ({ ...stage })) });
  },
});

const curveInput = z
  .strictObject({
    currency: currencyInput,
    charge: chargeInput,
    from: decimalInput.nullish().meta({ description: 'The least quantity; 0 when left out', example: '0' }),
    to: decimalInput.meta({ description: 'The greatest quantity', example: '10000' }),
    steps: z
      .int()
      .nullish()
      .meta({
        description: `Even steps between them, 1 to ${PRICE_CURVE_POINTS_MAX}; ${CURVE_STEPS_DEFAULT} when left out`,
      }),
    date: dateInput.nullish(),
  })
  .meta({ id: 'PriceCurveQuestion' });

const curveDocument = z
  .object({
    currency: z.string(),
    points: z
      .array(
        z.object({
          quantity: quantityOutput,
          amount: quantityOutput.meta({ description: 'Exact, not rounded' }),
          average: quantityOutput
            .nullable()
            .meta({ description: 'What a unit comes to, to 18 decimals; null of none' }),
        }),
      )
      .meta({ description: 'By quantity; where the curve jumps, one before and one after' }),
  })
  .meta({ id: 'PriceCurve' });

const priceCurveRoute = route({
  method: 'post',
  path: '/v1/prices/curve',
  name: 'priceCurve',
  tag,
  scope: 'billing:read',
  summary: 'What a period comes to for growing usage, as points for a picture',
  description:
    'Nothing is stored. Besides the even steps there are points at each bound of a tier or package and just after it. Prices that ' +
    'need groups or events have no curve.',
  body: jsonBody(curveInput, { bytesMax: HTTP_BODY_BYTES_MAX }),
  answers: { 200: { description: 'The points, by quantity', json: curveDocument } },
  problems: ['invalid_query'],
  handle: async (_services, { body, signal }) => {
    const { currency, charge, to } = body;
    const question = {
      currency,
      charge,
      to,
      from: body.from ?? undefined,
      steps: body.steps ?? undefined,
      date: body.date ?? undefined,
    };
    return json(200, await inTurns(curveSteps(question), signal()));
  },
});

export const PRICE_ROUTES: readonly Route[] = [evaluatePriceRoute, priceCurveRoute];

/** In a body null says the same as leaving a field out. */
const toQuestion = ({
  currency,
  charge,
  usage,
  ...body
}: z.output<typeof questionInput>): PriceEvaluation => ({
  currency,
  charge,
  usage: toUsage(usage),
  before: body.before ? toBefore(body.before) : undefined,
  segment: body.segment ?? undefined,
  mode: body.mode ?? undefined,
  rounding: body.rounding ?? undefined,
  scale: body.scale ?? undefined,
  fraction: body.fraction ?? undefined,
  date: body.date ?? undefined,
});

function toUsage(usage: z.output<typeof usageInput>): EvaluatedUsage {
  if ('quantity' in usage) return { ...usage, tierQuantity: usage.tierQuantity ?? undefined };
  if (!('events' in usage)) return usage;
  return {
    events: usage.events.map(({ value, dimensions }) => ({ value, dimensions: dimensions ?? undefined })),
  };
}

const toBefore = ({ quantity, amount, ...before }: z.output<typeof beforeInput>): EvaluatedBefore => ({
  quantity,
  amount,
  gross: before.gross ?? undefined,
  events: before.events ?? undefined,
  groups: before.groups ?? undefined,
});
