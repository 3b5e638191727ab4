import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Instant } from '#domain/instant.ts';
import { INVOICE_KINDS } from '#domain/invoicing/invoice-inputs.ts';
import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import {
  INVOICE_LINE_KINDS,
  INVOICE_STATES,
  type InvoiceContent,
  type InvoiceLine,
  type InvoiceState,
} from '#domain/invoicing/invoice.ts';
import { PRICES } from '#domain/invoicing/tax.ts';
import type { InvoicePreview } from '#infra/invoicing/collected-invoice.ts';
import type { LateUsage } from '#infra/invoicing/late-usage.ts';
import type { StoredInvoice } from '#infra/invoicing/read-invoices.ts';
import type { InvoiceRow } from '#infra/invoicing/tables.ts';
import { quantityOutput, timeOutput } from '../http/schemas.ts';
import { addressDocument, partyIdsDocument, taxRatesDocument } from '../sellers/party-schemas.ts';

const amount = quantityOutput;
const windowDocument = z.object({ from: timeOutput, to: timeOutput });
const hashDocument = z.string().meta({ description: 'SHA-256 in hex' });
const dateDocument = z.string().meta({ format: 'date', description: 'A local date of the seller' });

const taxDocument = z
  .object({
    code: z.string(),
    jurisdiction: z.string(),
    rate: amount.meta({ description: 'In percent, as it was' }),
    exemption: z.string().nullable(),
    base: amount,
    amount,
  })
  .meta({ id: 'InvoiceTax' });

const totalsDocument = z
  .object({ charges: amount, discounts: amount, net: amount, tax: amount, total: amount })
  .meta({ id: 'InvoiceTotals' });

const reasonsDocument = z.array(
  z.object({ code: z.string(), message: z.string() }).meta({ id: 'ParkReason' }),
);

const partyFields = {
  key: z.string(),
  name: z.string(),
  address: addressDocument.nullable(),
  email: z.string().nullable(),
  ids: partyIdsDocument,
  taxRates: taxRatesDocument.nullable(),
};

const lineDocument = z
  .object({
    id: z.string().meta({ description: 'From 1, in the order of the document' }),
    kind: z.enum(INVOICE_LINE_KINDS),
    customer: z.string().nullable(),
    subscription: z.string().nullable(),
    item: z.string().nullable().meta({ description: 'The charge and period that it is a part of' }),
    charge: z.string().nullable(),
    plan: z.string().nullable(),
    planVersion: z.int().nullable(),
    description: z.string(),
    period: windowDocument,
    dimensions: z.record(z.string(), z.string()).optional(),
    quantity: quantityOutput.nullable(),
    unitPrice: quantityOutput.nullable(),
    amount,
    taxes: z.array(taxDocument),
    working: z
      .array(z.looseObject({ stage: z.string() }))
      .meta({ description: 'How the amount came about, step by step' }),
    meter: z.string().nullable(),
    meterVersion: z.int().nullable(),
    fingerprint: z.string().nullable().meta({ description: 'Of exactly the events behind it, in hex' }),
    merkleRoot: z.string().nullable().meta({ description: 'Over the same events, once it is issued' }),
    events: z.string().nullable().meta({ description: 'Where these events are listed' }),
  })
  .meta({ id: 'InvoiceLine' });

/** What an invoice says, stored or not. */
const contentFields = {
  kind: z.enum(INVOICE_KINDS),
  currency: z.string(),
  timezone: z.string(),
  date: timeOutput.meta({ description: 'The moment that everything on it was due' }),
  prices: z.enum(PRICES),
  servicePeriod: windowDocument,
  totals: totalsDocument,
  taxes: z.array(taxDocument),
  lines: z.array(lineDocument),
  sellerParty: z
    .object({ ...partyFields, paymentInstructions: z.string().nullable(), netTermDays: z.int() })
    .meta({ id: 'InvoiceSeller' }),
  customers: z
    .array(z.object({ key: z.string(), name: z.string() }).meta({ id: 'InvoiceCustomer' }))
    .meta({ description: 'Whose subscriptions the lines are of, in their order' }),
  buyerParty: z
    .object({ ...partyFields, purchaseOrder: z.string().nullable(), netTermDays: z.int().nullable() })
    .meta({ id: 'InvoiceBuyer' }),
  parkedFor: reasonsDocument.meta({ description: 'Why it waits for a decision' }),
};

export const previewDocument = z.object(contentFields).meta({ id: 'InvoicePreview' });

/** What became of a stored one. */
const headFields = {
  id: z.uuid(),
  number: z
    .string()
    .nullable()
    .meta({ description: 'Without gaps per seller, series and year; null until it is issued' }),
  state: z.enum(INVOICE_STATES),
  customer: z.string().meta({ description: 'Who pays' }),
  seller: z.string(),
  issueDate: dateDocument.nullable(),
  dueDate: dateDocument.nullable(),
  lineCount: z.int(),
  contentHash: hashDocument,
  inputsHash: hashDocument,
  releasedFrom: reasonsDocument.meta({ description: 'Reasons that were looked at and let pass' }),
  run: z.string().nullable(),
  createdAt: timeOutput,
  updatedAt: timeOutput,
  issuedAt: timeOutput.nullable(),
  paidAt: timeOutput.nullable(),
  voidedAt: timeOutput.nullable(),
  uncollectibleAt: timeOutput.nullable(),
};

export const invoiceHeadDocument = z
  .object({
    ...headFields,
    kind: contentFields.kind,
    currency: contentFields.currency,
    date: contentFields.date,
    totals: totalsDocument,
    parkedFor: contentFields.parkedFor,
  })
  .meta({ id: 'InvoiceHead' });

const lateUsageDocument = z
  .array(
    z
      .object({
        subscription: z.string(),
        customer: z.string(),
        item: z.string(),
        charge: z.string(),
        period: windowDocument,
        due: amount.meta({ description: 'What it comes to now' }),
        billed: amount.meta({ description: 'All that invoices have of it' }),
        delta: amount.meta({ description: '`due` - `billed`; above 0 it is still to be paid' }),
      })
      .meta({ id: 'LateUsage' }),
  )
  .nullable()
  .meta({
    description:
      'What usage that came, or was voided, after it was collected makes of its items; null where that cannot be told now',
  });

export const invoiceDocument = z
  .object({ ...headFields, ...contentFields, lateUsage: lateUsageDocument })
  .meta({ id: 'Invoice' });

const timeOrNull = (at: Instant | null): string | null => (at === null ? null : formatInstant(at));
const window = ({ from, to }: TimeWindow) => ({ from: formatInstant(from), to: formatInstant(to) });

export const toHead = (row: InvoiceRow) => ({
  id: row.id,
  number: row.number,
  state: row.state as InvoiceState,
  customer: row.customer,
  seller: row.seller,
  kind: row.kind as InvoiceContent['kind'],
  currency: row.currency,
  date: formatInstant(row.date),
  totals: row.totals,
  issueDate: row.issueDate,
  dueDate: row.dueDate,
  lineCount: row.lineCount,
  contentHash: row.contentHash,
  inputsHash: row.inputsHash,
  parkedFor: row.parkedFor,
  releasedFrom: row.releasedFrom,
  run: row.run,
  createdAt: formatInstant(row.createdAt),
  updatedAt: formatInstant(row.updatedAt),
  issuedAt: timeOrNull(row.issuedAt),
  paidAt: timeOrNull(row.paidAt),
  voidedAt: timeOrNull(row.voidedAt),
  uncollectibleAt: timeOrNull(row.uncollectibleAt),
});

const partyOf = <Party extends Pick<InvoiceContent['customer'], 'address' | 'taxRates'>>({
  address,
  taxRates,
  ...party
}: Party) => ({
  ...party,
  address: address && {
    ...address,
    line2: address.line2 ?? null,
    region: address.region ?? null,
    postalCode: address.postalCode ?? null,
  },
  taxRates: taxRates && taxRates.map((rate) => ({ ...rate, exemption: rate.exemption ?? null })),
});

/** Whether its prices have the tax in them is said of the invoice. */
const sellerOf = ({ prices: _, ...seller }: InvoiceContent['seller']) => partyOf(seller);

/** `id` is that of a stored invoice: only of one are events listed. */
const toLine = (
  { usage, working, ...line }: InvoiceLine,
  id: string | null,
  merkleRoots: InvoiceRow['merkleRoots'],
) => ({
  ...line,
  dimensions: line.dimensions,
  period: window(line.period),
  working: working.map((stage) =>
    'period' in stage ? { ...stage, period: window(stage.period) } : { ...stage },
  ),
  meter: usage?.meter ?? null,
  meterVersion: usage?.meterVersion ?? null,
  fingerprint: usage?.fingerprint ?? null,
  merkleRoot: merkleRoots[line.id] ?? null,
  events: usage === null || id === null ? null : `/v1/invoices/${id}/lines/${line.id}/events`,
});

const contentOf = (content: InvoiceContent, id: string | null, roots: InvoiceRow['merkleRoots'] = {}) => ({
  kind: content.kind,
  currency: content.currency,
  timezone: content.timezone,
  date: formatInstant(content.date),
  prices: content.prices,
  servicePeriod: window(content.servicePeriod),
  totals: content.totals,
  taxes: content.taxes,
  lines: content.lines.map((line) => toLine(line, id, roots)),
  sellerParty: sellerOf(content.seller),
  buyerParty: partyOf(content.customer),
  customers: content.customers,
});

export const toInvoice = ({ row, content }: StoredInvoice) => ({
  ...toHead(row),
  ...contentOf(content, row.id, row.merkleRoots),
});

export const toPreview = ({ content, parkedFor }: Pick<InvoicePreview, 'content' | 'parkedFor'>) => ({
  ...contentOf(content, null),
  parkedFor,
});

export const toLateUsage = (late: readonly LateUsage[] | null) =>
  late?.map((each) => ({ ...each, period: window(each.period) })) ?? null;

/** An invoice as it is printed. */
export const toPrinted = ({ row, content }: StoredInvoice): InvoiceDocument => ({
  id: row.id,
  state: row.state as InvoiceState,
  number: row.number,
  issueDate: row.issueDate,
  dueDate: row.dueDate,
  content,
  merkleRoots: row.merkleRoots,
  contentHash: row.contentHash,
  inputsHash: row.inputsHash,
});
