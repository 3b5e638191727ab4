import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { LimitDefinition } from '#domain/entitlements/limit.ts';
import { OVERAGES } from '#domain/entitlements/limit.ts';
import { meterSchema } from '#infra/catalogue/catalogue-file.ts';
import { ENFORCEMENTS } from '#infra/catalogue/event-types.ts';
import { PRICES } from '#domain/invoicing/tax.ts';
import { isNamespaceName } from '#domain/namespace.ts';
import { billedItemLine, numberSeriesLine, subscriptionLine } from './billing-lines.ts';
import { sharedAnchor, taxRates, time, wholeNumber } from './line-fields.ts';
import { planLine, planVersionLine } from './plan-lines.ts';

/** Rises with every change that an older release could not read, or would read as something else. */
export const FORMAT_VERSION = 2;
export const FORMAT_NAME = 'millrace-export';

/** The first line. */
export const headerSchema = z.strictObject({
  kind: z.literal('header'),
  format: z.literal(FORMAT_NAME),
  version: z.literal(FORMAT_VERSION),
  namespace: z.string().refine(isNamespaceName),
  exportedAt: time,
  /** Every event published before is in the file; null where no pipeline had run. Later ones may be in it or not. */
  asOf: time.nullable(),
});

const meterLine = z.strictObject({
  kind: z.literal('meter'),
  key: z.string(),
  version: wholeNumber.min(1),
  generation: wholeNumber.min(1),
  state: z.enum(['building', 'active', 'retired', 'ended']),
  /** It counts events of the catalogue versions [since, until). */
  since: wholeNumber,
  until: wholeNumber.nullable(),
  definition: meterSchema,
});

const eventTypeLine = z.strictObject({
  kind: z.literal('eventType'),
  type: z.string(),
  schema: z.unknown(),
  enforce: z.enum(ENFORCEMENTS as [(typeof ENFORCEMENTS)[number]]),
});

const featureLine = z.strictObject({
  kind: z.literal('feature'),
  key: z.string(),
  name: z.string(),
  meter: z.string().nullable(),
  unit: z.string().nullable(),
  archivedAt: time.nullable(),
});

const address = z
  .strictObject({
    line1: z.string(),
    line2: z.string().nullable().exactOptional(),
    city: z.string(),
    region: z.string().nullable().exactOptional(),
    postalCode: z.string().nullable().exactOptional(),
    country: z.string(),
  })
  .nullable();

const partyIds = z.array(z.strictObject({ scheme: z.string(), id: z.string() }));

const sellerLine = z.strictObject({
  kind: z.literal('seller'),
  key: z.string(),
  name: z.string(),
  address,
  ids: partyIds,
  email: z.string().nullable(),
  prices: z.enum(PRICES),
  taxRates: taxRates.nullable(),
  netTermDays: wholeNumber,
  paymentInstructions: z.string().nullable(),
  numbering: z.strictObject({ prefix: z.string(), timezone: z.string() }),
  createdAt: time,
  archivedAt: time.nullable(),
});

const customerLine = z.strictObject({
  kind: z.literal('customer'),
  key: z.string(),
  name: z.string(),
  parent: z.string().nullable(),
  timezone: z.string(),
  currency: z.string().nullable(),
  email: z.string().nullable(),
  seller: z.string().nullable(),
  address,
  taxId: z.string().nullable(),
  taxIds: partyIds,
  taxRates: taxRates.nullable(),
  netTermDays: wholeNumber.nullable(),
  purchaseOrder: z.string().nullable(),
  billingAnchor: sharedAnchor.nullable(),
  metadata: z.record(z.string(), z.string()),
  createdAt: time,
  archivedAt: time.nullable(),
});

const subjectLine = z.strictObject({
  kind: z.literal('subject'),
  subject: z.string(),
  /** Whose it was from when on, in order; null: nobody's. */
  customers: z.array(z.strictObject({ from: time, customer: z.string().nullable() })),
});

const limitsLine = z.strictObject({
  kind: z.literal('limits'),
  customer: z.string(),
  feature: z.string(),
  limits: z.array(
    z.strictObject({
      key: z.string(),
      amount: z.string(),
      period: z.union([
        z.strictObject({
          every: z.string(),
          anchor: time.exactOptional(),
          timezone: z.string().exactOptional(),
        }),
        z.strictObject({ rolling: z.string() }),
      ]),
      overage: z.enum(OVERAGES),
    }),
  ),
});

const recordSchema = z.discriminatedUnion('kind', [
  meterLine,
  eventTypeLine,
  featureLine,
  sellerLine,
  planLine,
  planVersionLine,
  customerLine,
  subjectLine,
  limitsLine,
  numberSeriesLine,
  billedItemLine,
  subscriptionLine,
]);

/** A line between the header and the events. */
export type RecordLine = z.output<typeof recordSchema>;
/** The same as it is written: times as text. */
export type WrittenRecord = z.input<typeof recordSchema>;
export type MeterLine = z.output<typeof meterLine>;

/** The kinds of lines in the order in which they come. */
export const LINE_KINDS = [
  'meter',
  'eventType',
  'feature',
  'seller',
  'plan',
  'planVersion',
  'customer',
  'subject',
  'limits',
  'numberSeries',
  'billedItem',
  'subscription',
  'event',
] as const;
export type LineKind = (typeof LINE_KINDS)[number];
export type LineCounts = Record<LineKind, number>;

export const noLines = (): LineCounts => ({
  meter: 0,
  eventType: 0,
  feature: 0,
  seller: 0,
  plan: 0,
  planVersion: 0,
  customer: 0,
  subject: 0,
  limits: 0,
  numberSeries: 0,
  billedItem: 0,
  subscription: 0,
  event: 0,
});

/** The last line: a file without it is cut. */
export const trailerSchema = z.strictObject({
  kind: z.literal('trailer'),
  lines: z.strictObject(
    Object.fromEntries(LINE_KINDS.map((kind) => [kind, wholeNumber])) as Record<LineKind, typeof wholeNumber>,
  ),
  /** SHA-256 in hex over the bytes of all lines before this one. */
  digest: z.string(),
});

export type Header = z.output<typeof headerSchema>;

/** A file that cannot be imported. The message names the line. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
}

export const lineError = (line: number, fault: string): TransferError =>
  new TransferError(`line ${line}: ${fault}`);

/** Reads a line as the schema says; throws `TransferError` with everything that is wrong with it. */
export function readLine<Schema extends z.ZodType>(
  schema: Schema,
  line: number,
  text: string,
): z.output<Schema> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw lineError(line, 'is no JSON');
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw lineError(line, z.prettifyError(parsed.error).replaceAll('\n', ' '));
}

export const readRecord = (line: number, text: string): RecordLine => readLine(recordSchema, line, text);

/** A limit with its anchor as a time that people read. */
export function writtenLimit({ key, amount, period, overage }: LimitDefinition) {
  if ('rolling' in period) return { key, amount, period, overage };
  const { every, anchor, timezone } = period;
  return {
    key,
    amount,
    overage,
    period: {
      every,
      ...(anchor === undefined ? {} : { anchor: formatInstant(anchor) }),
      ...(timezone === undefined ? {} : { timezone }),
    },
  };
}
