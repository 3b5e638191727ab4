import { expect } from 'chai';
import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import { renderInvoicePdf } from '#infra/documents/render-invoice-pdf.ts';
import { FOOTER_BASELINE, PAGE } from '#infra/documents/style.ts';
import { readPdf, type ReadPdf } from './pdf-reading.ts';
import { byHand, documentOf, long, manyScripts, rightToLeft, typical } from './sample-documents.ts';

const UNISSUED: Partial<InvoiceDocument> = { number: null, issueDate: null, dueDate: null, merkleRoots: {} };

const read = async (document: InvoiceDocument): Promise<ReadPdf> => readPdf(await renderInvoicePdf(document));
const textsOf = ({ pages }: ReadPdf): string[] => pages.flatMap(({ texts }) => texts);

describe('an invoice as PDF', () => {
  it('has the same bytes each time, whatever other documents are made before it and meanwhile', async () => {
    const documents = [typical(), rightToLeft(), manyScripts(), long()].map((inputs) => documentOf(inputs));
    const alone: Buffer[] = [];
    for (const document of documents) alone.push(await renderInvoicePdf(document));
    const together = await Promise.all(documents.toReversed().map((document) => renderInvoicePdf(document)));
    together.reverse().forEach((bytes, place) => {
      expect(bytes.equals(alone[place]!), `document ${place}`).to.equal(true);
    });
  });

  it('has every font that it is printed in within it, and no other', async () => {
    const { fonts } = await read(documentOf(manyScripts()));
    expect(fonts.map(({ embedded }) => embedded)).to.deep.equal(fonts.map(() => true));
    const names = fonts.map(({ name }) => name.replace(/^[A-Z]{6}\+/, ''));
    expect(names).to.include.members(['NotoSans-Regular', 'NotoSansHans-Regular', 'NotoSansKR-Bold']);
    const plain = await read(documentOf(typical()));
    expect(plain.fonts).to.have.length(2);
  });

  it('says who sells what to whom, when, for how much, and how to pay', async () => {
    const document = documentOf(typical());
    const pdf = await read(document);
    const texts = textsOf(pdf);
    expect(texts).to.include.members([
      'Millrace Software GmbH',
      'VAT ID DE123456789',
      'INV-2026-000042',
      'Acme Corporation',
      'Tax ID 51 824 753 556',
      '1 May 2026',
      '31 May 2026',
      '1 Apr – 30 Apr 2026',
      'PO-2026/0417',
      'Calls by model and region',
      'model small, region eu',
      '987,654',
      '9,876.54',
      '−3.42',
      'Acme EU · team',
      'VAT DE 19 %',
      '11,105.01',
      '2,109.95',
      'EUR 13,214.96',
      'IBAN DE89 3704 0044 0532 0130 00 · BIC COBADEFFXXX',
    ]);
    expect(texts.join(' ')).to.include('Please pay EUR 13,214.96 by 31 May 2026, naming INV-2026-000042.');
    expect(pdf.info).to.include({
      Title: 'Invoice INV-2026-000042',
      Author: 'Millrace Software GmbH',
      CreationDate: 'D:20260501000000Z',
    });
  });

  it('tells how each amount was worked out, and what proves it', async () => {
    const document = documentOf(typical());
    const texts = textsOf(await read(document));
    expect(texts).to.include.members([
      '9,000,000 × 0.0000018',
      '16.20',
      '6.75018525',
      'At least 25.00, of which 22.46 are reached',
      'Per unit, for 1/3 of the period, rounded',
      '83.3333333333…',
      'On invoice invoice-1',
      `Content ${document.contentHash}`,
      `Inputs ${document.inputsHash}`,
      'Meter tokens, version 1 · fingerprint 0f1d298a26c277a2ddf9ea8b14157858',
    ]);
    for (const root of Object.values(document.merkleRoots)) expect(texts).to.include(`Merkle root ${root}`);
  });

  it('writes amounts with the decimals of their currency', async () => {
    expect(textsOf(await read(documentOf(manyScripts())))).to.include.members(['12,000', 'JPY 28,849']);
    const bahrain = textsOf(await read(documentOf(rightToLeft())));
    expect(bahrain).to.include.members(['1,234.567', 'BHD 12,369.577', 'Charges, with tax', '11,245.070']);
  });

  it('keeps names that are read from the right readable: for eyes, and for programs in their own order', async () => {
    const { pages } = await read(documentOf(rightToLeft()));
    const actual = pages.flatMap((page) => page.actual);
    expect(actual).to.include.members([
      'שירותי ענן בע״מ (ישראל)',
      'شركة المنامة للحوسبة السحابية (ش.م.ب) 2026',
      'خدمات استشارية Premium لشهر أبريل 2026',
    ]);
    // The last letter stands first, from left to right, and the number before it.
    const texts = pages.flatMap((page) => page.texts);
    expect(texts).to.include.members(['2026', 'לארשי']);
  });

  it('has the head of its table and its page number on every page of lines', async () => {
    const { pages } = await read(documentOf(long()));
    expect(pages.length).to.be.greaterThan(7);
    pages.forEach(({ texts }, place) => {
      expect(texts).to.include(`Page ${place + 1} of ${pages.length}`);
      if (texts.some((text) => /^Line \d+/.test(text))) expect(texts).to.include('Unit price');
    });
    const printed = pages.flatMap(({ texts }) => texts).filter((text) => /^Line \d+$/.test(text));
    expect(new Set(printed).size).to.equal(printed.length).and.to.be.greaterThan(270);
  });

  it('is marked on every page where nothing is due by it', async () => {
    const marks: [string, Partial<InvoiceDocument>][] = [
      ['VOID', { state: 'void' }],
      ['DRAFT', { state: 'draft', ...UNISSUED }],
      ['PREVIEW', { state: 'draft', id: null, ...UNISSUED }],
    ];
    for (const [mark, more] of marks) {
      const pdf = await read(documentOf(typical(), more));
      for (const { texts } of pdf.pages) expect(texts[0]).to.equal(mark);
      expect(textsOf(pdf).join(' ')).not.to.include('Please pay');
    }
    const issued = textsOf(await read(documentOf(typical())));
    for (const [mark] of marks) expect(issued).not.to.include(mark);
  });

  it('takes whatever a text may hold: it ends, stays on its pages, and turns nothing round', async () => {
    const texts = [
      '\u202e00.1 RUE\u202c',
      `\u2067${'('.repeat(200)}`,
      ' '.repeat(5_000),
      'a'.repeat(20_000),
      '字'.repeat(3_000),
      'ש'.repeat(2_000),
      'e\u0301\u0301\u0301'.repeat(300),
      '\u0000\u001b[2J\r\n\t\u2028',
      '😀👩‍👩‍👧‍👦🇪🇺 ไทย ᠮᠣᠩᠭᠣᠯ \u{10ffff}\ufffe',
      '-/-/-/-/ / / -',
      '',
    ];
    const document = documentOf(byHand(texts));
    const pdf = await read(document);
    const all = textsOf(pdf).join('');
    expect(all.match(/a/g)?.length).to.be.greaterThan(20_000);
    expect(all.match(/字/g)?.length).to.equal(3_000);
    expect(all).to.include('Page 1 of');
    for (const { x, y } of pdf.pages.flatMap(({ places }) => places)) {
      expect(x).to.be.within(PAGE.left - 0.01, PAGE.right);
      expect(y).to.be.within(PAGE.height - FOOTER_BASELINE - 0.01, PAGE.height - PAGE.top);
    }
  }).timeout(60_000);

  it('of a line without anything around it is one page', async () => {
    const { pages } = await read(documentOf(byHand(['Advice'])));
    expect(pages).to.have.length(1);
    expect(pages[0]?.texts).to.include.members(['Advice', 'EUR 1.00']);
  });
});
