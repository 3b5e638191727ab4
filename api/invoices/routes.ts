import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { INVOICE_STATES } from '#domain/invoicing/invoice.ts';
import { CUSTOMER_NAME_BYTES_MAX, EXTRA_LINES_MAX } from '#domain/limits.ts';
import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import { renderInvoiceCsv } from '#infra/documents/render-invoice-csv.ts';
import { renderInvoicePdf } from '#infra/documents/render-invoice-pdf.ts';
import { createInvoice } from '#infra/invoicing/create-invoice.ts';
import { readLateUsage } from '#infra/invoicing/late-usage.ts';
import { previewInvoices } from '#infra/invoicing/preview-invoices.ts';
import { listInvoices, readInvoice, type StoredInvoice } from '#infra/invoicing/read-invoices.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { chooseMediaType } from '../http/accept.ts';
import { bytes, json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import {
  keyInput,
  listQuery,
  nameInput,
  pageOf,
  pathNameInput,
  quantityInput,
  timeInput,
} from '../http/schemas.ts';
import { taxRatesInput } from '../sellers/party-schemas.ts';
import {
  invoiceDocument,
  invoiceHeadDocument,
  previewDocument,
  toHead,
  toInvoice,
  toPrinted,
  toLateUsage,
  toPreview,
} from './documents.ts';
import { tag } from './tag.ts';

const idPath = z.object({ id: z.string().max(64) });

const extraLineInput = z
  .strictObject({
    description: z.string().max(CUSTOMER_NAME_BYTES_MAX),
    period: z
      .strictObject({ from: timeInput, to: timeInput })
      .exactOptional()
      .meta({ description: 'What it is for; now where nothing is said' }),
    quantity: quantityInput.exactOptional(),
    unitPrice: quantityInput.exactOptional(),
    amount: quantityInput.meta({ description: 'In whole minor units of the currency', example: '49.00' }),
    taxRates: taxRatesInput.exactOptional(),
  })
  .meta({ id: 'ExtraLineInput' });

const createOne = changeRoute({
  method: 'post',
  path: '/v1/invoices',
  name: 'createInvoice',
  tag,
  scope: 'billing:write',
  ofMoney: true,
  summary: 'Writes an invoice by hand: a draft, to be issued by a call',
  parameters: { query: z.strictObject(previewQuery) },
  body: jsonBody(
    z.strictObject({
      customer: nameInput,
      currency: z
        .string()
        .max(3)
        .exactOptional()
        .meta({ description: 'The customer’s where nothing is said' }),
      seller: keyInput.exactOptional(),
      lines: z.array(extraLineInput).min(1).max(EXTRA_LINES_MAX),
    }),
  ),
  answers: {
    201: { description: 'The draft', json: invoiceHeadDocument, headers: { Location: 'The invoice' } },
  },
  problems: [
    'invalid_invoice',
    'customer_not_found',
    'customer_archived',
    'seller_not_found',
    'seller_needed',
  ],
  change: async (tx, { namespace, body, query, now }) => {
    const { customer, currency, seller, lines } = body;
    const row = await createInvoice(asPreviewed(tx, query), {
      namespace,
      customer,
      currency,
      seller,
      now,
      lines: lines.map(({ description, period, quantity, unitPrice, amount, taxRates }) => ({
        description,
        period: period ?? { from: now, to: now },
        quantity: quantity ?? null,
        unitPrice: unitPrice ?? null,
        amount,
        taxRates: taxRates ?? null,
      })),
    });
    return json(201, toHead(row), { Location: `/v1/invoices/${row.id}` });
  },
});

const list = route({
  method: 'get',
  path: '/v1/invoices',
  name: 'listInvoices',
  tag,
  scope: 'billing:read',
  summary: 'Invoices, the newest first; those that wait for a decision with `state=draft`',
  parameters: {
    query: z.strictObject({
      ...listQuery,
      customer: nameInput.exactOptional(),
      state: z.enum(INVOICE_STATES).exactOptional(),
      seller: keyInput.exactOptional(),
      from: timeInput.exactOptional().meta({ description: 'Dates from then on' }),
      to: timeInput.exactOptional().meta({ description: 'Dates before' }),
    }),
  },
  answers: { 200: { description: 'One page', json: pageOf(invoiceHeadDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const { limit, cursor, ...filter } = query;
    const before = positionOf(cursor, z.string());
    const rows = await listInvoices(database, namespace, { ...filter, before, limit: limit + 1 });
    return json(200, pageAfter(rows, limit, { item: toHead, position: ({ id }) => id }));
  },
});

/** How an invoice is printed, by media type. */
const PRINTERS = {
  'application/pdf': { extension: 'pdf', parameters: '', print: renderInvoicePdf },
  'text/csv': {
    extension: 'csv',
    parameters: '; charset=utf-8; header=present',
    print: (document: InvoiceDocument) => Buffer.from(renderInvoiceCsv(document)),
  },
} as const;
const PRINTED_TYPES = ['application/pdf', 'text/csv'] as const satisfies (keyof typeof PRINTERS)[];
const MEDIA_TYPES = ['application/json', ...PRINTED_TYPES] as const;

/** As a file with a name of its own. */
async function printed(stored: StoredInvoice, mediaType: (typeof PRINTED_TYPES)[number]) {
  const { extension, parameters, print } = PRINTERS[mediaType];
  // A number may have a slash from its prefix.
  const name = (stored.row.number ?? stored.row.id).replaceAll('/', '-');
  return {
    ...bytes(200, `${mediaType}${parameters}`, await print(toPrinted(stored))),
    headers: { 'Content-Disposition': `inline; filename="${name}.${extension}"` },
  };
}

const getOne = route({
  method: 'get',
  path: '/v1/invoices/{id}',
  name: 'getInvoice',
  tag,
  scope: 'billing:read',
  summary: 'One invoice, as `Accept` says: JSON, PDF or CSV',
  parameters: { path: idPath },
  answers: {
    200: { description: 'The invoice', json: invoiceDocument, mediaTypes: PRINTED_TYPES },
  },
  problems: ['invoice_not_found', 'not_acceptable'],
  handle: async (services, { namespace, path, headers, now, signal }) => {
    const mediaType = chooseMediaType(headers['accept']?.toString(), MEDIA_TYPES);
    const stored = await inSnapshot(services.database, (snapshot) =>
      readInvoice(snapshot, { namespace, id: path.id }),
    );
    if (mediaType !== 'application/json') return printed(stored, mediaType);
    const late = await readLateUsage(services, { row: stored.row, now, signal: signal() });
    return json(200, { ...toInvoice(stored), lateUsage: toLateUsage(late) });
  },
});

const preview = route({
  method: 'get',
  path: '/v1/customers/{key}/invoices/preview',
  name: 'previewInvoices',
  tag,
  scope: 'billing:read',
  summary: 'The next invoices of who pays for a customer, as they would be',
  description:
    'All that is due and not billed, through the first moment from `at` on at which something is due, with usage as it is by now. Nothing is written.',
  parameters: {
    path: z.object({ key: pathNameInput }),
    query: z.strictObject({
      subscription: z.string().max(64).exactOptional().meta({ description: 'Only this one' }),
      at: timeInput.exactOptional().meta({ description: 'Now where nothing is said' }),
    }),
  },
  answers: {
    200: {
      description: 'The invoices in order of date; none where nothing is due within 400 days',
      json: z.object({ asOf: z.string(), items: z.array(previewDocument) }),
    },
  },
  problems: ['customer_not_found', 'subscription_not_found', 'invalid_invoice'],
  handle: async (services, { namespace, path, query, now }) => {
    const previews = await previewInvoices(services, { namespace, customer: path.key, now, ...query });
    return json(200, { asOf: formatInstant(now), items: previews.map(toPreview) });
  },
});

export const INVOICE_ROUTES: readonly Route[] = [createOne, list, getOne, preview];
