import { stringify } from 'csv-stringify/sync';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { InvoiceLine, InvoiceTax } from '#domain/invoicing/invoice.ts';
import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import { toDecimalText, ZERO } from '#domain/money/decimal.ts';
import { plainCell } from './plain-cell.ts';

type Cell = (line: InvoiceLine, document: InvoiceDocument) => string | null | undefined;

/** By the names of the columns. Numbers and times are ours; any other text may be anybody's. */
const COLUMNS: Readonly<Record<string, Cell>> = {
  invoice: (_, { id }) => id,
  number: (_, { number }) => text(number),
  state: (_, { state }) => state,
  issueDate: (_, { issueDate }) => issueDate,
  dueDate: (_, { dueDate }) => dueDate,
  payer: (_, { content }) => text(content.customer.key),
  currency: (_, { content }) => content.currency,
  line: ({ id }) => id,
  kind: ({ kind }) => kind,
  customer: ({ customer }) => text(customer),
  subscription: ({ subscription }) => subscription,
  plan: ({ plan }) => plan,
  planVersion: ({ planVersion }) => planVersion?.toString(),
  charge: ({ charge }) => charge,
  description: ({ description }) => text(description),
  dimensions: ({ dimensions }) => (dimensions === undefined ? null : JSON.stringify(dimensions)),
  periodFrom: ({ period }) => formatInstant(period.from),
  periodTo: ({ period }) => formatInstant(period.to),
  quantity: ({ quantity }) => quantity,
  unitPrice: ({ unitPrice }) => unitPrice,
  amount: ({ amount }) => amount,
  taxRates: ({ taxes }) => text(taxes.map(rateText).join('; ')),
  tax: ({ taxes }) => toDecimalText(taxes.reduce((sum, { amount }) => sum.plus(amount), ZERO)),
  meter: ({ usage }) => usage?.meter,
  meterVersion: ({ usage }) => usage?.meterVersion.toString(),
  fingerprint: ({ usage }) => usage?.fingerprint,
  merkleRoot: ({ id }, { merkleRoots }) => merkleRoots[id],
};

/** The lines of an invoice as CSV, a row each below the names of the columns. Numbers are plain decimals, times RFC 3339. */
export const renderInvoiceCsv = (document: InvoiceDocument): string =>
  stringify([
    Object.keys(COLUMNS),
    ...document.content.lines.map((line) => Object.values(COLUMNS).map((cell) => cell(line, document) ?? '')),
  ]);

const text = (given: string | null): string => plainCell(given ?? '');

/** Worked: `vat DE 19`. */
const rateText = ({ code, jurisdiction, rate }: InvoiceTax): string => `${code} ${jurisdiction} ${rate}`;
