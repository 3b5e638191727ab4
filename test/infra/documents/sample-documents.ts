import { createHash } from 'node:crypto';
import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import { contentHash, inputsHash } from '#domain/invoicing/invoice-hash.ts';
import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import type { Buyer, ExtraLine, InvoiceInputs, Seller } from '#domain/invoicing/invoice-inputs.ts';
import {
  APRIL,
  at,
  billedOf,
  chargeOf,
  flat,
  groups,
  inputsOf,
  inputsOfItem,
  invoiceOf,
  itemOf,
  perUnit,
  quantity,
  SELLER,
  subscriptionOf,
  used,
  buyer,
} from '#test/domain/invoicing/invoice-builders.ts';

/** Documents that look like those of real contracts, each with something that is hard to print. */

export const GMBH: Seller = {
  ...SELLER,
  name: 'Millrace Software GmbH',
  address: {
    line1: 'Torstraße 1',
    line2: 'Hof 2, 3. OG',
    city: 'Berlin',
    postalCode: '10119',
    country: 'DE',
  },
  email: 'billing@millrace.example',
  ids: [
    { scheme: 'vat', id: 'DE123456789' },
    { scheme: 'company', id: 'HRB 12345 B' },
  ],
  taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }],
  paymentInstructions:
    'Bank transfer to Millrace Software GmbH\nIBAN DE89 3704 0044 0532 0130 00 · BIC COBADEFFXXX\n\nQuestions: billing@millrace.example',
};

const ACME: Buyer = {
  ...buyer('acme'),
  name: 'Acme Corporation',
  address: {
    line1: '1 King Street',
    city: 'Sydney',
    region: 'NSW',
    postalCode: '2000',
    country: 'AU',
  },
  email: 'accounts@acme.example',
  ids: [{ scheme: 'tax', id: '51 824 753 556' }],
  purchaseOrder: 'PO-2026/0417',
};

export function documentOf(inputs: InvoiceInputs, more: Partial<InvoiceDocument> = {}): InvoiceDocument {
  const content = buildInvoice(inputs);
  const roots = content.lines
    .filter(({ usage }) => usage !== null)
    .map(({ id }) => [id, createHash('sha256').update(id).digest('hex')]);
  return {
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    state: 'issued',
    number: 'INV-2026-000042',
    issueDate: '2026-05-01',
    dueDate: '2026-05-31',
    content,
    merkleRoots: Object.fromEntries(roots) as Record<string, string>,
    contentHash: contentHash(content),
    inputsHash: inputsHash(inputs),
    ...more,
  };
}

const TIERED = chargeOf(
  'tokens',
  {
    model: 'graduated',
    tiers: [
      { upTo: '1000000', unitPrice: '0.000002', flatFee: '0' },
      { upTo: '10000000', unitPrice: '0.0000018' },
      { upTo: null, unitPrice: '0.0000015' },
    ],
  },
  { name: 'Input tokens', meter: 'tokens', discount: { percent: '10' }, minimum: '25.00' },
);

const MATRIX = chargeOf(
  'calls',
  {
    model: 'matrix',
    dimensions: ['model', 'region'],
    cells: [
      { match: { model: 'large', region: 'eu' }, unitPrice: '0.03' },
      { match: { model: 'small', region: 'eu' }, unitPrice: '0.01' },
    ],
    defaultUnitPrice: '0.02',
  },
  { name: 'Calls by model and region', meter: 'tokens' },
);

const SEATS = chargeOf('seats', perUnit('12.50'), { name: 'Seats', timing: 'inAdvance' });

const extra = (description: string, amount: string, more: Partial<ExtraLine> = {}): ExtraLine => ({
  description,
  period: APRIL,
  quantity: null,
  unitPrice: null,
  amount,
  taxRates: null,
  ...more,
});

/** Usage in tiers with a discount, a matrix, seats changed in the period, a child that is paid for, something given back. */
export function typical(more: Partial<InvoiceInputs> = {}): InvoiceInputs {
  const early = invoiceOf(
    [used(itemOf('usage', TIERED), quantity(2_000_000), { through: at('2026-04-10') })],
    { seller: more.seller ?? GMBH, ...(more.currency === undefined ? {} : { currency: more.currency }) },
  );
  const usage = itemOf('usage', TIERED);
  const seats = itemOf('fee', SEATS, { segments: [{ seats: '20' }, { from: '2026-04-11', seats: '35' }] });
  return inputsOf(
    [
      subscriptionOf(
        [
          used(usage, quantity('14500123.5'), { billed: billedOf(usage.id, early) }),
          used(
            itemOf('usage', MATRIX),
            groups(
              [{ model: 'large', region: 'eu' }, 12_345],
              [{ model: 'small', region: 'eu' }, 987_654],
              [{ model: 'large', region: 'ap-southeast-2' }, 77],
            ),
          ),
          inputsOfItem(seats, {
            usage: [
              { kind: 'seats', seats: '20' },
              { kind: 'seats', seats: '35' },
            ],
          }),
        ],
        { id: '01890a5d-0001-774b-bcce-b302099a8057' },
      ),
      subscriptionOf(
        [
          inputsOfItem(itemOf('fee', chargeOf('base', flat('490'), { name: 'Base fee' })), {
            usage: [{ kind: 'none' }],
          }),
        ],
        { id: '01890a5d-0002-774b-bcce-b302099a8057', customer: { key: 'acme-eu', name: 'Acme EU' } },
      ),
    ],
    {
      seller: GMBH,
      customer: ACME,
      extraLines: [extra('Credit for the outage of 3 April', '-30.00')],
      ...more,
    },
  );
}

/** Names in scripts that are read from the right, with numbers and brackets in them; a currency of three decimals. */
export const rightToLeft = (): InvoiceInputs =>
  typical({
    currency: 'BHD',
    timezone: 'Asia/Bahrain',
    seller: {
      ...GMBH,
      name: 'שירותי ענן בע״מ (ישראל)',
      address: { line1: 'רחוב הרצל 12', city: 'תל אביב', postalCode: '6688312', country: 'IL' },
      taxRates: [{ code: 'vat', jurisdiction: 'BH', rate: '10' }],
      prices: 'inclusive',
    },
    customer: {
      ...ACME,
      key: 'شركة-المنامة',
      name: 'شركة المنامة للحوسبة السحابية (ش.م.ب) 2026',
      address: { line1: 'شارع الملك فيصل 45', city: 'المنامة', postalCode: '317', country: 'BH' },
    },
    extraLines: [extra('خدمات استشارية Premium لشهر أبريل 2026', '1234.567')],
  });

/** Chinese, Japanese, Korean, Hindi, Greek and Cyrillic; a currency without decimals; taxes that differ by line. */
export const manyScripts = (): InvoiceInputs =>
  typical({
    currency: 'JPY',
    timezone: 'Asia/Tokyo',
    seller: {
      ...GMBH,
      name: '株式会社ミルレース',
      address: {
        line1: '千代田区丸の内１丁目１番１号',
        city: '東京都',
        postalCode: '100-0005',
        country: 'JP',
      },
      taxRates: [{ code: 'consumption', jurisdiction: 'JP', rate: '10' }],
    },
    customer: { ...ACME, name: '주식회사 밀레이스 · 北京磨坊科技有限公司 · मिलरेस प्राइवेट लिमिटेड' },
    extraLines: [
      extra('サポート（四月分）、優先対応窓口のご利用料金とオンサイト対応費用の合計', '12000'),
      extra('Υπηρεσίες συμβούλου · Консультационные услуги · Dịch vụ tư vấn', '3400', {
        taxRates: [{ code: 'consumption', jurisdiction: 'JP', rate: '0', exemption: 'export' }],
      }),
      extra('No tax: 𝒳 😀 ไทย', '-1', { taxRates: [] }),
    ],
  });

/** Three hundred lines, some with long texts, over many pages. */
export const long = (): InvoiceInputs =>
  typical({
    extraLines: Array.from({ length: 300 }, (_, place) =>
      extra(
        place % 25 === 7
          ? `Work that takes long to describe, number ${place + 1}: ${'it goes on and on, with detail upon detail, '.repeat(6)}until it ends`
          : `Line ${place + 1}${place % 40 === 11 ? ` ${'unbreakable'.repeat(12)}` : ''}`,
        `${((place * 7919) % 100_000) / 100}`,
        { quantity: String(place + 1), unitPrice: '0.015' },
      ),
    ),
  });

/** An invoice of nothing but lines that somebody wrote. */
export const byHand = (descriptions: readonly string[]): InvoiceInputs =>
  inputsOf([], { kind: 'oneOff', extraLines: descriptions.map((description) => extra(description, '1')) });
