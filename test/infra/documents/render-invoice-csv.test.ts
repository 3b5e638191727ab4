import { expect } from 'chai';
import { parse } from 'csv-parse/sync';
import { Decimal } from '#domain/money/decimal.ts';
import { renderInvoiceCsv } from '#infra/documents/render-invoice-csv.ts';
import { byHand, documentOf, manyScripts, typical } from './sample-documents.ts';

type Row = Record<string, string>;

describe('an invoice as CSV', () => {
  it('has a row for each line, with what it says and what proves it', () => {
    const document = documentOf(typical());
    const rows = parse<Row>(renderInvoiceCsv(document), { columns: true });
    const { lines, totals } = document.content;
    expect(rows.map(({ line, amount }) => [line, amount])).to.deep.equal(
      lines.map(({ id, amount }) => [id, amount]),
    );
    const [first] = rows;
    expect(first).to.include({
      invoice: document.id,
      number: 'INV-2026-000042',
      state: 'issued',
      issueDate: '2026-05-01',
      payer: 'acme',
      currency: 'EUR',
      kind: 'usage',
      customer: 'acme',
      plan: 'team',
      planVersion: '1',
      charge: 'calls',
      dimensions: '{"model":"large","region":"ap-southeast-2"}',
      periodFrom: '2026-04-01T00:00:00Z',
      periodTo: '2026-05-01T00:00:00Z',
      quantity: '77',
      unitPrice: '0.02',
      taxRates: 'vat DE 19',
      meter: 'tokens',
      merkleRoot: document.merkleRoots['1'],
    });
    const sumOf = (name: string): string =>
      rows.reduce((sum, row) => sum.plus(row[name] ?? ''), new Decimal(0)).toFixed();
    expect([sumOf('amount'), sumOf('tax')]).to.deep.equal([totals.net, totals.tax]);
  });

  it('keeps every text in its cell, and none that a spreadsheet would run', () => {
    const texts = ['=HYPERLINK("x")', '+1', '-1', '@SUM', 'a,b;"c"\nd', '＝1', 'שלום'];
    const rows = parse<Row>(renderInvoiceCsv(documentOf(byHand(texts))), { columns: true });
    expect(rows.map(({ description }) => description)).to.deep.equal([
      '\'=HYPERLINK("x")',
      "'+1",
      "'-1",
      "'@SUM",
      'a,b;"c"\nd',
      "'＝1",
      'שלום',
    ]);
  });

  it('writes amounts below 0 as numbers, and leaves empty what a line has not', () => {
    const rows = parse<Row>(renderInvoiceCsv(documentOf(manyScripts())), { columns: true });
    expect(rows.at(-1)).to.include({
      amount: '-1',
      subscription: '',
      fingerprint: '',
      tax: '0',
      taxRates: '',
    });
  });
});
