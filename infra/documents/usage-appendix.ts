import { setImmediate } from 'node:timers/promises';
import type { InvoiceLine } from '#domain/invoicing/invoice.ts';
import type { InvoiceStage } from '#domain/invoicing/invoice-stage.ts';
import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import { titleOf } from './document-state.ts';
import { formatAmount } from './format-amount.ts';
import { formatMoment, formatPeriod } from './format-time.ts';
import { dimensionsText, ROWS_PER_TURN } from './invoice-lines.ts';
import { given } from './printed-text.ts';
import type { Sheet } from './sheet.ts';
import { leadingOf, PAGE, STYLES } from './style.ts';
import { workingRows, type WorkingRow } from './working-rows.ts';

/** Lines whose working is printed; the JSON of an invoice has that of all. */
export const APPENDIX_LINES_MAX = 2_000;
/** Parts of one price that are printed, such as its tiers. */
export const APPENDIX_PARTS_MAX = 50;

const INDENT = PAGE.left + 18;
const DETAIL = { x: 330, width: 135 } as const;
const AMOUNT = { x: 470, width: PAGE.right - 470 } as const;

/** How every amount came about, and what proves the usage behind it: pages of their own after the invoice. */
export async function printAppendix(sheet: Sheet, document: InvoiceDocument): Promise<void> {
  const lines = document.content.lines.filter(({ working, usage }) => working.length > 0 || usage !== null);
  if (lines.length === 0) return;
  sheet.newPage();
  printAppendixHead(sheet, document);
  for (const [place, line] of lines.slice(0, APPENDIX_LINES_MAX).entries()) {
    printWorking(sheet, line, document);
    if (place % ROWS_PER_TURN === ROWS_PER_TURN - 1) await setImmediate();
  }
  if (lines.length > APPENDIX_LINES_MAX) {
    const others = `The working of ${lines.length - APPENDIX_LINES_MAX} more lines is in the invoice as JSON.`;
    sheet.row([{ text: others, x: PAGE.left, width: PAGE.right - PAGE.left, style: STYLES.small }]);
  }
}

function printAppendixHead(sheet: Sheet, document: InvoiceDocument): void {
  const { content, id, contentHash, inputsHash } = document;
  const place = { x: PAGE.left, width: PAGE.right - PAGE.left };
  sheet.row([{ text: `Usage and working: ${titleOf(document)}`, ...place, style: STYLES.name }]);
  sheet.y += 2;
  const facts = [
    `Amounts in ${content.currency}; they are exact until they are rounded. Times are those of ${content.timezone}.`,
    ...(id === null
      ? []
      : [`Invoice ${id}, of what was due at ${formatMoment(content.date, content.timezone)}`]),
    `Content ${contentHash}`,
    `Inputs ${inputsHash}`,
  ];
  for (const text of facts) sheet.row([{ text, ...place, style: STYLES.tiny }]);
  sheet.y += 10;
}

function printWorking(sheet: Sheet, line: InvoiceLine, document: InvoiceDocument): void {
  const { currency, timezone } = document.content;
  const notes = [ownerOf(line, document), dimensionsText(line)].filter(Boolean).join(' · ');
  sheet.need(4 * leadingOf(STYLES.body));
  sheet.rule();
  sheet.y += 4;
  sheet.row([
    { text: line.id, x: PAGE.left, width: 18, style: STYLES.small },
    {
      text: line.description,
      x: INDENT,
      width: DETAIL.x - INDENT - 10,
      style: STYLES.strong,
      notes: [{ text: notes, style: STYLES.small }],
    },
    { text: formatPeriod(line.period, timezone), ...DETAIL, style: STYLES.small },
    { text: formatAmount(currency, line.amount), ...AMOUNT, style: STYLES.strong, right: true },
  ]);
  const context = { currency, timezone, partsMax: APPENDIX_PARTS_MAX };
  for (const row of ownStages(line).flatMap((stage) => workingRows(stage, context))) printRow(sheet, row);
  for (const text of proofOf(line, document))
    sheet.row([{ text, x: INDENT, width: PAGE.right - INDENT, style: STYLES.tiny }]);
  sheet.y += 6;
}

/** Whose line it is, where they are not all of the one who pays. */
function ownerOf({ customer }: InvoiceLine, { content }: InvoiceDocument): string {
  if (content.customers.every(({ key }) => key === content.customer.key)) return '';
  return content.customers
    .filter(({ key }) => key === customer)
    .map(({ name }) => given(name))
    .join();
}

/** What a discount, maximum or minimum was computed from is with the lines above it: only what it does is its own. */
const ownStages = ({ kind, working }: InvoiceLine): readonly InvoiceStage[] =>
  kind === 'usage' || kind === 'fixed'
    ? working
    : working.filter(({ stage }) => stage !== 'quantity' && stage !== 'price');

function printRow(sheet: Sheet, { text, detail, amount }: WorkingRow): void {
  const wide = detail === null ? AMOUNT.x - INDENT - 10 : DETAIL.x - INDENT - 10;
  sheet.row([
    { text, x: INDENT, width: wide, style: STYLES.small },
    ...(detail === null ? [] : [{ text: detail, ...DETAIL, style: STYLES.small }]),
    ...(amount === null ? [] : [{ text: amount, ...AMOUNT, style: STYLES.small, right: true }]),
  ]);
}

/** What anyone who has the events can compute again. */
function proofOf({ id, usage }: InvoiceLine, { merkleRoots }: InvoiceDocument): string[] {
  if (usage === null) return [];
  const root = merkleRoots[id];
  return [
    `Meter ${usage.meter}, version ${usage.meterVersion} · fingerprint ${usage.fingerprint}`,
    ...(root === undefined ? [] : [`Merkle root ${root}`]),
  ];
}
