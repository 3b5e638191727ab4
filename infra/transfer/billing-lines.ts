import { z } from 'zod';
import { INVOICE_LINE_KINDS } from '#domain/invoicing/invoice.ts';
import { ALIGNMENTS } from '#domain/subscriptions/subscription.ts';
import { anchor, optional, time, wholeNumber } from './line-fields.ts';
import { discount, price, quantityRule } from './plan-lines.ts';

const text = z.string();
const place = { subscription: text, periodFrom: time, item: text };

/** Where the numbers of a seller go on, so that none is given twice. */
export const numberSeriesLine = z.strictObject({
  kind: z.literal('numberSeries'),
  seller: text,
  series: text,
  year: wholeNumber,
  next: wholeNumber.min(1),
});

/** What of one item is on documents. It stands before its subscription: whoever finds a subscription finds what is billed of it. */
export const billedItemLine = z.strictObject({
  kind: z.literal('billedItem'),
  ...place,
  itemKind: z.enum(['usage', 'fee', 'once', 'minimum', 'maximum']),
  periodTo: time,
  through: time,
  itemHash: text,
  lines: z.array(
    z.strictObject({
      invoice: text,
      line: text,
      kind: z.enum(INVOICE_LINE_KINDS),
      charge: text.nullable(),
      plan: text.nullable(),
      planVersion: wholeNumber.nullable(),
      description: text,
      period: z.strictObject({ from: time, to: time }),
      dimensions: z.record(text, text).exactOptional(),
      quantity: text.nullable(),
      unitPrice: text.nullable(),
      amount: text,
      taxes: z.array(
        z.strictObject({
          code: text,
          jurisdiction: text,
          rate: text,
          exemption: text.nullable(),
          base: text,
          amount: text,
        }),
      ),
    }),
  ),
});

const terms = z.strictObject({
  from: time,
  plan: text,
  version: wholeNumber.min(1),
  phasesFrom: time,
  anchor,
  quantities: z.record(text, text),
  overrides: z.record(
    text,
    z.strictObject({
      price: optional(price),
      quantity: optional(quantityRule),
      discount: optional(discount),
    }),
  ),
  addOns: z.record(text, text),
  paused: z.boolean(),
});

export const subscriptionLine = z.strictObject({
  kind: z.literal('subscription'),
  id: text,
  customer: text,
  currency: text,
  timezone: text,
  alignment: z.enum(ALIGNMENTS),
  seller: text,
  startAt: time,
  endAt: time.nullable(),
  terms: z.tuple([terms], terms),
  spendThreshold: text.nullable(),
  metadata: z.record(text, text),
  createdAt: time,
  updatedAt: time,
});
