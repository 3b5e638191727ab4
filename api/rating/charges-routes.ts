import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Instant } from '#domain/instant.ts';
import type { BillLine } from '#domain/invoicing/bill-usage.ts';
import { CHARGES_PER_BILL_MAX, EVENTS_PER_LINE_MAX, LINES_PER_INVOICE_MAX } from '#domain/limits.ts';
import { LINE_KINDS } from '#domain/pricing/settle.ts';
import { evaluateCharges, type EvaluatedCharges } from '#infra/rating/evaluate-charges.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { route, type Route } from '../http/route.ts';
import { freshnessOutput, pathNameInput, quantityOutput, timeInput, timeOutput } from '../http/schemas.ts';
import { askingForUsage } from '../usage/usage-problem.ts';
import { billedChargeInput } from './charge-input.ts';
import { lineOutput, workingOutput } from './line-output.ts';
import { tag } from './tag.ts';

const questionInput = z
  .strictObject({
    charges: z.array(billedChargeInput).min(1).max(CHARGES_PER_BILL_MAX),
    from: timeInput.meta({ description: 'Where the billing period begins, moved down to its minute' }),
    to: timeInput.meta({ description: 'Where it ends; fees, minimums and maximums are due in full' }),
    currency: z
      .string()
      .max(8)
      .nullish()
      .meta({ description: "ISO 4217; the customer's when left out", example: 'USD' }),
    timezone: z.string().max(64).nullish().meta({
      description: "In whose calendar prices change; the customer's when left out",
      example: 'Europe/Berlin',
    }),
  })
  .meta({ id: 'ChargesQuestion' });

const periodDocument = z.object({ from: timeOutput, to: timeOutput });

const lineDocument = z
  .object({
    id: z.string(),
    kind: z.enum(LINE_KINDS),
    charge: z.string().meta({ description: 'The key of the charge' }),
    description: z.string(),
    period: periodDocument.meta({ description: 'The segment of the period in which the price held' }),
    ...lineOutput,
    amount: quantityOutput.meta({ description: 'Rounded once, to the minor unit' }),
    working: workingOutput,
  })
  .meta({ id: 'BillLine' });

const billDocument = z
  .object({
    customer: z.string(),
    currency: z.string(),
    timezone: z.string(),
    period: periodDocument,
    ...freshnessOutput,
    dirty: z
      .boolean()
      .meta({ description: 'A part of the usage waits to be recomputed after a void, and is not final' }),
    lines: z.array(lineDocument),
    totals: z.object({
      charges: quantityOutput.meta({ description: 'The sum of the lines' }),
      discounts: quantityOutput.meta({ description: 'What the invoice as a whole takes off' }),
      net: quantityOutput,
      tax: quantityOutput,
      total: quantityOutput,
    }),
  })
  .meta({ id: 'ChargesEvaluation' });

const evaluateChargesRoute = route({
  method: 'post',
  path: '/v1/customers/{key}/charges/evaluate',
  name: 'evaluateCharges',
  tag,
  scope: 'billing:read',
  summary: "What a customer's real usage comes to with given charges",
  description:
    `Nothing is stored. Usage, customer and \`asOf\` are of one snapshot; at most ${LINES_PER_INVOICE_MAX} lines. Prices that judge each ` +
    `event by itself read up to ${EVENTS_PER_LINE_MAX} events a line. A charge with prices by date has lines of their own for each of them.`,
  parameters: { path: z.strictObject({ key: pathNameInput }) },
  body: jsonBody(questionInput),
  answers: {
    200: { description: 'The lines, each with its working, and what they come to', json: billDocument },
  },
  problems: ['invalid_query', 'customer_not_found'],
  handle: ({ database, warehouse }, { namespace, path, body, signal }) =>
    askingForUsage(async () => {
      const { currency, timezone, ...asked } = body;
      const question = {
        ...asked,
        namespace,
        customer: path.key,
        currency: currency ?? undefined,
        timezone: timezone ?? undefined,
        signal: signal(),
      };
      return json(200, toDocument(await evaluateCharges({ database, warehouse }, question)));
    }),
});

export const CHARGES_ROUTES: readonly Route[] = [evaluateChargesRoute];

const toPeriod = ({ from, to }: TimeWindow) => ({ from: formatInstant(from), to: formatInstant(to) });

const toLine = (line: BillLine) => ({
  ...line,
  period: toPeriod(line.period),
  working: line.working.map((stage) => ({ ...stage })),
});

const timeOrNull = (at: Instant | undefined): string | null => (at === undefined ? null : formatInstant(at));

const toDocument = ({ customer, currency, timezone, period, freshness, ...bill }: EvaluatedCharges) => ({
  customer,
  currency,
  timezone,
  period: toPeriod(period),
  asOf: timeOrNull(freshness?.asOf),
  completeThrough: timeOrNull(freshness?.completeThrough),
  dirty: bill.dirty,
  lines: bill.lines.map(toLine),
  totals: bill.totals,
});
