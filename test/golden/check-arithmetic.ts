import type { InvoiceContent, InvoiceLine, InvoiceTax } from '#domain/invoicing/invoice.ts';
import { anyCurrency } from '#domain/money/currency.ts';
import type { Arithmetic } from './golden-contract.ts';
import { minorUnits, readSum } from './written-sum.ts';

/** All that an invoice says otherwise than the sums that were written by hand; empty when they agree. */
export function checkArithmetic(
  content: InvoiceContent,
  { of, lines, taxes = [], total }: Arithmetic,
  subscriptions: ReadonlyMap<string, string>,
): string[] {
  const { decimals } = anyCurrency(content.currency);
  const minor = (text: string): bigint => minorUnits(text, decimals);
  const names = namesOf(content, subscriptions);
  const byHand = lines.map((text) => readSum(text, decimals));
  const computed = content.lines.map((line) => `${labelOf(line, names)} = ${minor(line.amount)}`);
  const taxesByHand = taxes.map((text) => readSum(text, decimals));
  const taxed = content.taxes.map((tax) => `${taxLabelOf(tax)} = ${minor(tax.amount)}`);
  const sum = byHand.reduce((all, each) => all + each.computed, 0n);
  const tax = taxesByHand.reduce((all, each) => all + each.computed, 0n);
  const { totals, prices } = content;
  const whole = prices === 'exclusive' ? sum + tax : sum;
  return [
    ...differences(
      'line',
      computed,
      byHand.map(({ label, written }) => `${label} = ${written}`),
    ),
    ...differences(
      'tax',
      taxed,
      taxesByHand.map(({ label, written }) => `${label} = ${written}`),
    ),
    ...differences('net', [`${minor(totals.net)}`], [`${whole - tax}`]),
    ...differences('tax in all', [`${minor(totals.tax)}`], [`${tax}`]),
    ...differences('total', [`${minor(totals.total)}`], [`${readSum(`total: ${total}`, decimals).computed}`]),
    ...differences('total of its parts', [`${minor(totals.total)}`], [`${whole}`]),
  ].map((difference) => `${of}: ${difference}`);
}

function differences(what: string, is: readonly string[], byHand: readonly string[]): string[] {
  const places = Array.from({ length: Math.max(is.length, byHand.length) }, (_, place) => place);
  return places
    .filter((place) => is[place] !== byHand[place])
    .map(
      (place) => `${what} ${place + 1} is ${is[place] ?? 'missing'}, by hand ${byHand[place] ?? 'nothing'}`,
    );
}

/** Subscriptions by their ids, where an invoice is of several: of one it need not be said which. */
function namesOf(
  { lines }: InvoiceContent,
  subscriptions: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Set(lines.map(({ subscription }) => subscription)).size > 1 ? subscriptions : new Map();
}

/** `usage tokens kind=input of acme`: what a line is of, its charge (or what it says), its dimensions, and which of several subscriptions. */
export function labelOf(line: InvoiceLine, subscriptions: ReadonlyMap<string, string>): string {
  const dimensions = Object.entries(line.dimensions ?? {}).map(([name, value]) => `${name}=${value}`);
  const of = subscriptions.get(line.subscription ?? '');
  const isOther = line.charge === null && line.kind === 'extra';
  return [line.kind, line.charge, ...(isOther ? [line.description] : []), ...dimensions, of && `of ${of}`]
    .filter((part) => part != null)
    .join(' ');
}

const taxLabelOf = ({ code, jurisdiction, rate }: InvoiceTax): string => `${code} ${jurisdiction} ${rate}%`;
