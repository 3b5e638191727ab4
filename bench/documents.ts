import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import { renderInvoiceCsv } from '#infra/documents/render-invoice-csv.ts';
import { renderInvoicePdf } from '#infra/documents/render-invoice-pdf.ts';
import {
  buyer,
  chargeOf,
  inputsOf,
  itemOf,
  quantity,
  subscriptionOf,
  used,
} from '#test/domain/invoicing/invoice-builders.ts';
import { documentOf, GMBH } from '#test/infra/documents/sample-documents.ts';
import { readPdf } from '#test/infra/documents/pdf-reading.ts';
import { summarise, type Figure } from './figure.ts';

/*
 * What printing an invoice costs: five charges in five tiers each, for customers of different names and usage, so that labels are the same from one to
 * the next and names and amounts are not. A page of the invoice and one of how it was worked out.
 */

const CHARGES = ['Input tokens', 'Output tokens', 'Requests', 'Storage in gigabyte-hours', 'Egress'];
const TIERS = [
  { upTo: '1000', unitPrice: '0.5' },
  { upTo: '5000', unitPrice: '0.45' },
  { upTo: '20000', unitPrice: '0.375' },
  { upTo: '50000', unitPrice: '0.3125' },
  { upTo: null, unitPrice: '0.25125' },
];
const PAGES = 2;

export interface DocumentsBench {
  readonly rounds: number;
  /** Invoices in each round. */
  readonly invoices: number;
  readonly record: (figure: Figure) => void;
}

/** Invoices printed in a second, by one process, after a warm-up. */
export async function benchDocuments({ rounds, invoices, record }: DocumentsBench): Promise<void> {
  const documents = Array.from({ length: invoices }, (_, place) => documentFor(place));
  await check(documents[0]!);
  const [pdfs, csvs]: [number[], number[]] = [[], []];
  await perSecond(documents, renderInvoicePdf);
  for (let round = 0; round < rounds; round++) {
    pdfs.push(await perSecond(documents, renderInvoicePdf));
    csvs.push(await perSecond(documents, renderInvoiceCsv));
  }
  record(summarise(`invoices as PDF, five charges, ${PAGES} pages`, 'PDFs/s', pdfs));
  record(summarise('the same as CSV', 'CSVs/s', csvs));
}

function documentFor(place: number): InvoiceDocument {
  const items = CHARGES.map((name, charge) =>
    used(
      itemOf(
        'usage',
        chargeOf(`charge-${charge}`, { model: 'graduated', tiers: TIERS }, { name, meter: 'tokens' }),
      ),
      quantity(50_001 + (((place * CHARGES.length + charge) * 7_919) % 99_991)),
    ),
  );
  const key = `customer-${place}`;
  const customer = { ...buyer(key), name: `Customer ${place} ${(place * 104_729).toString(36)} Ltd` };
  const subscription = subscriptionOf(items, { customer: { key, name: customer.name } });
  return documentOf(inputsOf([subscription], { seller: GMBH, customer }));
}

async function check(document: InvoiceDocument): Promise<void> {
  const { pages } = readPdf(await renderInvoicePdf(document));
  if (pages.length !== PAGES) throw new Error(`an invoice has ${pages.length} pages, not ${PAGES}`);
}

/** What came out last is held, so that no work is left out as useless. */
let held: unknown;

async function perSecond(
  documents: readonly InvoiceDocument[],
  render: (document: InvoiceDocument) => unknown,
): Promise<number> {
  const begun = performance.now();
  for (const document of documents) held = await render(document);
  const seconds = (performance.now() - begun) / 1_000;
  return held === undefined ? 0 : documents.length / seconds;
}
