import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { markOf, titleOf } from './document-state.ts';
import { printHead } from './invoice-head.ts';
import { printLines } from './invoice-lines.ts';
import { printTotals } from './invoice-totals.ts';
import { given } from './printed-text.ts';
import { createSheet } from './sheet.ts';
import { printAppendix } from './usage-appendix.ts';

/**
 * An invoice as PDF: the invoice itself, then how every amount was worked out. The same document gives the same bytes, whenever and wherever
 * this release renders it. Others get a turn while a long one is made.
 */
export async function renderInvoicePdf(document: InvoiceDocument): Promise<Buffer> {
  const { content } = document;
  const title = titleOf(document);
  const sheet = createSheet({
    title: `Invoice ${title}`,
    author: content.seller.name,
    created: new Date(content.date / MICROS_PER_MILLI),
    mark: markOf(document),
    footer: [
      given(content.seller.name),
      title,
      ...content.seller.ids.slice(0, 1).map(({ id }) => given(id)),
    ].join(' · '),
  });
  sheet.newPage();
  printHead(sheet, document);
  await printLines(sheet, content);
  printTotals(sheet, document);
  await printAppendix(sheet, document);
  return sheet.end();
}
