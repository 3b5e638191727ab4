import { setImmediate } from 'node:timers/promises';
import type { InvoiceContent, InvoiceLine, InvoiceTax } from '#domain/invoicing/invoice.ts';
import { formatAmount, formatNumber, formatQuantity } from './format-amount.ts';
import { formatPeriod } from './format-time.ts';
import { groupLines, type LineGroup } from './line-groups.ts';
import { given } from './printed-text.ts';
import type { Cell } from './row.ts';
import type { Sheet } from './sheet.ts';
import { PAGE, STRONG_RULE, STYLES } from './style.ts';

/** Rows after which others get a turn: a long invoice must not hold up a process that serves. */
export const ROWS_PER_TURN = 25;

interface Column {
  readonly x: number;
  readonly width: number;
}
type Columns = Readonly<Record<'description' | 'period' | 'quantity' | 'unitPrice' | 'amount', Column>>;

const GUTTER = 8;
const PERIOD_WIDTH = 122;
const NUMBER_WIDTH = { min: 48, max: 92 };
const ROW_GAP = 3.5;

/** The table of lines, over as many pages as it takes; its head is on each. */
export async function printLines(sheet: Sheet, content: InvoiceContent): Promise<void> {
  const { lines, customer } = content;
  const groups = groupLines(lines);
  const table: Table = { content, columns: columnsFor(sheet, content), ratesDiffer: differ(lines) };
  sheet.need(60);
  printColumnHeads(sheet, table);
  sheet.repeat = () => {
    printColumnHeads(sheet, table);
  };
  let printed = 0;
  for (const group of groups) {
    const own = groups.length === 1 && (group.customer ?? customer.key) === customer.key;
    if (!own) printGroupHead(sheet, group, content);
    for (const line of group.lines) {
      printLine(sheet, line, table);
      printed++;
      if (printed % ROWS_PER_TURN === 0) await setImmediate();
    }
  }
  sheet.repeat = null;
}

interface Table {
  readonly content: InvoiceContent;
  readonly columns: Columns;
  /** Where all lines bear the same taxes, the breakdown says enough. */
  readonly ratesDiffer: boolean;
}

function printColumnHeads(sheet: Sheet, { columns, content }: Table): void {
  const style = STYLES.label;
  sheet.row([
    { text: 'Description', ...columns.description, style },
    { text: 'Period', ...columns.period, style },
    { text: 'Quantity', ...columns.quantity, style, right: true },
    { text: 'Unit price', ...columns.unitPrice, style, right: true },
    { text: content.currency, ...columns.amount, style, right: true },
  ]);
  sheet.y += 2;
  sheet.rule({ colour: STRONG_RULE });
  sheet.y += ROW_GAP + 1;
}

function printGroupHead(
  sheet: Sheet,
  { customer, plans, subscription, amount }: LineGroup,
  { currency, customers }: InvoiceContent,
): void {
  const names = customers.filter(({ key }) => key === customer).map(({ name }) => name);
  const said = [...names, ...plans].map(given);
  sheet.need(40);
  sheet.y += 5;
  sheet.row([
    { text: said.join(' · ') || 'Other', x: PAGE.left, width: 330, style: STYLES.strong },
    {
      text: formatAmount(currency, amount),
      x: PAGE.right - 150,
      width: 150,
      style: STYLES.strong,
      right: true,
    },
  ]);
  if (subscription !== null)
    sheet.row([{ text: `Subscription ${subscription}`, x: PAGE.left, width: 330, style: STYLES.tiny }]);
  sheet.y += ROW_GAP;
}

function printLine(sheet: Sheet, line: InvoiceLine, { columns, content, ratesDiffer }: Table): void {
  const { currency, timezone } = content;
  const style = STYLES.body;
  const notes = [dimensionsText(line), ...(ratesDiffer ? [ratesText(line)] : [])].filter(Boolean);
  const cells: Cell[] = [
    {
      text: line.description,
      ...columns.description,
      style,
      notes: notes.length === 0 ? [] : [{ text: notes.join(' · '), style: STYLES.tiny }],
    },
    { text: formatPeriod(line.period, timezone), ...columns.period, style: STYLES.small },
    { text: formatAmount(currency, line.amount), ...columns.amount, style, right: true },
  ];
  if (line.quantity !== null)
    cells.push({ text: formatQuantity(line.quantity), ...columns.quantity, style, right: true });
  if (line.unitPrice !== null)
    cells.push({ text: formatAmount(currency, line.unitPrice), ...columns.unitPrice, style, right: true });
  sheet.row(cells);
  sheet.y += ROW_GAP;
}

/** Which group of the usage it is, where its description does not say it. */
export const dimensionsText = ({ dimensions = {} }: Pick<InvoiceLine, 'dimensions'>): string =>
  Object.entries(dimensions)
    .map(([name, value]) => `${given(name)} ${given(value)}`)
    .join(', ');

const ratesText = ({ taxes }: InvoiceLine): string => taxes.map(taxName).join(', ') || 'no tax';

/** Worked: `VAT DE 19 %`, `Consumption JP 10 %`. */
export const taxName = ({ code, jurisdiction, rate }: InvoiceTax): string =>
  `${given(taxWord(code))} ${given(jurisdiction)} ${formatNumber(rate)} %`;

/** A short code is an abbreviation, a longer one a word. */
const taxWord = (code: string): string =>
  code.length <= 4
    ? code.toUpperCase()
    : `${code.slice(0, 1).toUpperCase()}${code.slice(1).replaceAll('_', ' ')}`;

const differ = (lines: readonly InvoiceLine[]): boolean =>
  new Set(lines.map(({ taxes }) => taxes.map(taxName).join())).size > 1;

/** Numbers get the room that the widest of them needs, the description what they leave. */
function columnsFor(sheet: Sheet, { lines, currency }: InvoiceContent): Columns {
  const widest = (texts: readonly (string | null)[]): number => {
    const longest = texts.reduce<string>(
      (found, text) => (text !== null && text.length > found.length ? text : found),
      '',
    );
    const width = sheet.widthOf(longest, STYLES.body) + 1;
    return Math.min(Math.max(width, NUMBER_WIDTH.min), NUMBER_WIDTH.max);
  };
  const amountOf = (text: string | null): string | null =>
    text === null ? null : formatAmount(currency, text);
  const widths = {
    quantity: widest(lines.map(({ quantity }) => (quantity === null ? null : formatQuantity(quantity)))),
    unitPrice: widest(lines.map(({ unitPrice }) => amountOf(unitPrice))),
    amount: widest(lines.map(({ amount }) => amountOf(amount))),
  };
  const amount = { x: PAGE.right - widths.amount, width: widths.amount };
  const unitPrice = { x: amount.x - GUTTER - widths.unitPrice, width: widths.unitPrice };
  const quantity = { x: unitPrice.x - GUTTER - widths.quantity, width: widths.quantity };
  const period = { x: quantity.x - GUTTER - PERIOD_WIDTH, width: PERIOD_WIDTH };
  const description = { x: PAGE.left, width: period.x - GUTTER - PAGE.left };
  return { description, period, quantity, unitPrice, amount };
}
