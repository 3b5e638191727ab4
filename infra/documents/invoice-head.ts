import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import { stateText, titleOf } from './document-state.ts';
import { formatMoney } from './format-amount.ts';
import { formatDate, formatPeriod } from './format-time.ts';
import { partyLines } from './party-text.ts';
import type { Sheet } from './sheet.ts';
import { leadingOf, PAGE, STYLES } from './style.ts';

const PARTY_WIDTH = 250;
const FACTS_LEFT = 330;
const FACT_LABEL_WIDTH = 75;
const GAP = 18;

/** Who sells to whom, and what identifies the document: the upper part of the first page. */
export function printHead(sheet: Sheet, document: InvoiceDocument): void {
  const { seller, customer } = document.content;
  const top = sheet.y;
  printTitle(sheet, document);
  const factsTop = sheet.y;
  sheet.y = top;
  printParty(sheet, seller.name, partyLines(seller));
  sheet.y = Math.max(sheet.y + GAP, factsTop);
  const buyerTop = sheet.y;
  for (const [label, value] of factsOf(document)) printFact(sheet, label, value);
  const factsEnd = sheet.y;
  sheet.y = buyerTop;
  sheet.row([{ text: 'Billed to', x: PAGE.left, width: PARTY_WIDTH, style: STYLES.label }]);
  printParty(sheet, customer.name, partyLines(customer));
  sheet.y = Math.max(sheet.y, factsEnd) + GAP;
}

function printTitle(sheet: Sheet, document: InvoiceDocument): void {
  const right = { x: FACTS_LEFT, width: PAGE.right - FACTS_LEFT, right: true };
  sheet.put({ text: 'Invoice', style: STYLES.title, ...right });
  sheet.y += leadingOf(STYLES.title);
  sheet.row([{ text: titleOf(document), style: STYLES.strong, ...right }]);
  const state = stateText(document);
  if (state !== null) sheet.row([{ text: state, style: STYLES.state, ...right }]);
  sheet.y += GAP;
}

function printParty(sheet: Sheet, name: string, lines: readonly string[]): void {
  const place = { x: PAGE.left, width: PARTY_WIDTH };
  sheet.row([{ text: name, style: STYLES.name, ...place }]);
  sheet.y += 2;
  for (const text of lines) sheet.row([{ text, style: STYLES.body, ...place }]);
}

function printFact(sheet: Sheet, label: string, text: string): void {
  const valueLeft = FACTS_LEFT + FACT_LABEL_WIDTH;
  sheet.row([
    { text: label, x: FACTS_LEFT, width: FACT_LABEL_WIDTH, style: STYLES.label },
    { text, x: valueLeft, width: PAGE.right - valueLeft, style: STYLES.body, right: true },
  ]);
  sheet.y += 1.5;
}

function factsOf({ content, issueDate, dueDate }: InvoiceDocument): [label: string, value: string][] {
  const { customer, servicePeriod, timezone, currency, totals } = content;
  const facts: [string, string | null][] = [
    ['Issued', issueDate === null ? null : formatDate(issueDate)],
    ['Due', dueDate === null ? null : formatDate(dueDate)],
    ['Service period', formatPeriod(servicePeriod, timezone)],
    ['Purchase order', customer.purchaseOrder],
    ['Customer', customer.key],
    ['Total', formatMoney(currency, totals.total)],
  ];
  return facts.flatMap(([label, value]) => (value === null ? [] : [[label, value]]));
}
