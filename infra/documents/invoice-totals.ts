import type { InvoiceContent, InvoiceTax } from '#domain/invoicing/invoice.ts';
import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import { titleOf } from './document-state.ts';
import { formatAmount, formatMoney } from './format-amount.ts';
import { formatDate } from './format-time.ts';
import { taxName } from './invoice-lines.ts';
import { given } from './printed-text.ts';
import type { Cell } from './row.ts';
import type { Sheet } from './sheet.ts';
import { leadingOf, PAGE, STRONG_RULE, STYLES } from './style.ts';

const TOTALS_LEFT = 340;
const TAX_COLUMNS = {
  tax: { x: PAGE.left, width: 130 },
  base: { x: PAGE.left + 135, width: 65 },
  amount: { x: PAGE.left + 205, width: 60 },
} as const;
const LEFT_WIDTH = 265;
const GAP = 16;

/**
 * What all lines come to, the taxes in it, and how to pay: what follows the table of lines. The amounts stand on the right, the rest on the
 * left of them, on one page.
 */
export function printTotals(sheet: Sheet, document: InvoiceDocument): void {
  const { content } = document;
  const left = [...taxRows(content), ...paymentRows(document)];
  const right = totalRows(content);
  sheet.need(
    Math.min(Math.max(blockHeight(sheet, left), blockHeight(sheet, right)) + GAP, PAGE.bottom - PAGE.top),
  );
  sheet.rule();
  sheet.y += GAP / 2;
  const top = sheet.y;
  printBlock(sheet, right);
  const rightEnd = sheet.y;
  sheet.y = top;
  printBlock(sheet, left);
  sheet.y = Math.max(sheet.y, rightEnd);
}

/** Cells side by side with what is free below them, or a line. */
type BlockRow = { readonly cells: readonly Cell[]; readonly gap: number } | { readonly ruleFrom: number };
const RULE_GAP = 5;

const blockHeight = (sheet: Sheet, rows: readonly BlockRow[]): number =>
  rows.reduce((sum, row) => sum + ('cells' in row ? sheet.heightOf(row.cells) + row.gap : 2 * RULE_GAP), 0);

function printBlock(sheet: Sheet, rows: readonly BlockRow[]): void {
  for (const row of rows) {
    if ('cells' in row) {
      sheet.row(row.cells);
      sheet.y += row.gap;
    } else {
      sheet.y += RULE_GAP - 2;
      sheet.rule({ from: row.ruleFrom, colour: STRONG_RULE });
      sheet.y += RULE_GAP + 2;
    }
  }
}

function totalRows({ currency, prices, totals, taxes }: InvoiceContent): BlockRow[] {
  const hasDiscounts = totals.discounts !== '0';
  const hasTaxes = taxes.length > 0;
  const inclusive = prices === 'inclusive' && hasTaxes;
  const row = (label: string, text: string): BlockRow => totalRow(label, formatAmount(currency, text));
  return [
    ...(hasDiscounts || inclusive ? [row(inclusive ? 'Charges, with tax' : 'Charges', totals.charges)] : []),
    ...(hasDiscounts ? [row('Discounts', negated(totals.discounts))] : []),
    ...(hasTaxes ? [row(inclusive ? 'Net of tax' : 'Net', totals.net), row('Tax', totals.tax)] : []),
    ...(hasTaxes || hasDiscounts ? [{ ruleFrom: TOTALS_LEFT }] : []),
    grandTotalRow(formatMoney(currency, totals.total)),
  ];
}

const negated = (text: string): string => (text.startsWith('-') ? text.slice(1) : `-${text}`);

const totalRow = (label: string, text: string): BlockRow => ({
  cells: [
    { text: label, x: TOTALS_LEFT, width: 90, style: STYLES.body },
    { text, x: TOTALS_LEFT + 90, width: PAGE.right - TOTALS_LEFT - 90, style: STYLES.body, right: true },
  ],
  gap: 2,
});

const grandTotalRow = (text: string): BlockRow => ({
  cells: [
    { text: 'Total', x: TOTALS_LEFT, width: 50, style: STYLES.total },
    { text, x: TOTALS_LEFT + 50, width: PAGE.right - TOTALS_LEFT - 50, style: STYLES.total, right: true },
  ],
  gap: GAP,
});

/** What each tax is due on. Why nothing is due of one has to be said. */
function taxRows({ currency, taxes }: InvoiceContent): BlockRow[] {
  const { tax, base, amount } = TAX_COLUMNS;
  if (taxes.length === 0) return [];
  const head: BlockRow = {
    cells: [
      { text: 'Tax', ...tax, style: STYLES.label },
      { text: 'On', ...base, style: STYLES.label, right: true },
      { text: currency, ...amount, style: STYLES.label, right: true },
    ],
    gap: 2,
  };
  const rows = taxes.map((each): BlockRow => ({
    cells: [
      { text: taxName(each), ...tax, style: STYLES.body, notes: exemptionNotes(each) },
      { text: formatAmount(currency, each.base), ...base, style: STYLES.body, right: true },
      { text: formatAmount(currency, each.amount), ...amount, style: STYLES.body, right: true },
    ],
    gap: 1.5,
  }));
  return [head, ...rows, { cells: [], gap: GAP }];
}

const exemptionNotes = ({ exemption }: InvoiceTax): NonNullable<Cell['notes']> =>
  exemption === null ? [] : [{ text: given(exemption.replaceAll('_', ' ')), style: STYLES.tiny }];

function paymentRows(document: InvoiceDocument): BlockRow[] {
  const { content, state, dueDate, id } = document;
  const { currency, totals, seller } = content;
  const place = { x: PAGE.left, width: LEFT_WIDTH };
  const isPayable = state === 'issued' && !/^(?:-|0$)/.test(totals.total);
  const by = dueDate === null ? '' : ` by ${formatDate(dueDate)}`;
  const asked = `Please pay ${formatMoney(currency, totals.total)}${by}, naming ${titleOf(document)}.`;
  const instructions =
    id === null || state === 'void' || state === 'paid' ? null : seller.paymentInstructions;
  return [
    ...(isPayable ? [{ cells: [{ text: asked, ...place, style: STYLES.strong }], gap: 3 }] : []),
    ...(instructions?.split('\n') ?? []).map((text): BlockRow => ({
      cells: text === '' ? [] : [{ text, ...place, style: STYLES.body }],
      gap: text === '' ? leadingOf(STYLES.body) / 2 : 0,
    })),
  ];
}
