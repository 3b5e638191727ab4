import type { Difference } from './bill-check.ts';
import { decimalsOf } from './expected-bill.ts';
import type { CheckedInvoice, CheckedInvoices } from './invoice-check.ts';
import type { InvoiceAnswer, InvoiceTaxAnswer } from './invoice.ts';
import { aligned, groupedText } from './table.ts';
import { nameOf, unitPriceOf, workingOf } from './tell-working.ts';

/** The first customer's invoice line by line, each with its working; those of the others in a row each; and whether all are right. */
export function tellInvoices(checked: CheckedInvoices): string[] {
  const [first, ...others] = checked.invoices;
  if (first === undefined) return tellCheck(checked);
  return [
    `  the invoice of ${first.invoice.customer} as an invoice run made it; indented, how a line came about:`,
    '',
    `    ${headOf(first.invoice)}`,
    '',
    ...tellInvoice(first.invoice),
    ...(others.length === 0 ? [] : ['', '  the invoices of the others:', '', ...tellShort(others)]),
    '',
    ...tellHeld(checked.invoices),
    ...tellCheck(checked),
  ];
}

const dayOf = (time: string): string => time.slice(0, 'yyyy-mm-dd'.length);

const headOf = ({
  number,
  sellerParty,
  buyerParty,
  servicePeriod: { from, to },
  issueDate,
  dueDate,
}: InvoiceAnswer): string =>
  `${number ?? 'without a number'}, ${sellerParty.name} to ${buyerParty.name}: ${dayOf(from)} until ${dayOf(to)}, issued ${issueDate ?? 'never'}, due ${dueDate ?? 'never'}`;

function tellInvoice({ currency, lines, totals, taxes }: InvoiceAnswer): string[] {
  const decimals = decimalsOf(currency);
  const amount = (text: string): string => groupedText(text, decimals);
  const [header = '', ...rows] = aligned([
    ['', 'quantity', 'unit price', currency],
    ...lines.map((line) => [
      nameOf(line),
      line.quantity === null ? '' : groupedText(line.quantity),
      unitPriceOf(line, decimals),
      amount(line.amount),
    ]),
    ['Net', '', '', amount(totals.net)],
    ...taxes.map((tax) => [taxName(tax), '', '', amount(tax.amount)]),
    ['Total', '', '', amount(totals.total)],
  ]);
  const workings = lines.map((line) => workingOf(line, decimals));
  return [
    header,
    ...rows.flatMap((row, index) => [row, ...(workings[index] ?? []).map((text) => `        ${text}`)]),
  ];
}

const taxName = ({ code, jurisdiction, rate, exemption }: InvoiceTaxAnswer): string =>
  `${code} ${jurisdiction}, ${exemption === null ? `${rate} %` : exemption}`;

const tellShort = (invoices: readonly CheckedInvoice[]): string[] =>
  aligned([
    ['', 'number', 'lines', 'net', 'tax', 'total', 'state'],
    ...invoices
      .toSorted(byNumber)
      .map(({ invoice: { customer, number, currency, lines, totals, state } }) => [
        customer,
        number ?? '-',
        String(lines.length),
        ...[totals.net, totals.tax, totals.total].map((text) => groupedText(text, decimalsOf(currency))),
        state,
      ]),
  ]);

const byNumber = (a: CheckedInvoice, b: CheckedInvoice): number =>
  (a.invoice.number ?? '') < (b.invoice.number ?? '') ? -1 : 1;

/** What waited for a decision, and why. */
const tellHeld = (invoices: readonly CheckedInvoice[]): string[] =>
  invoices
    .filter(({ invoice }) => invoice.releasedFrom.length > 0)
    .map(
      ({ invoice: { customer, releasedFrom } }) =>
        `  held at first   that of ${customer}: ${releasedFrom.map(({ message }) => message).join(' ')} The demo released it, so its number comes after the others`,
    );

function tellCheck({ invoices, faults, isGapless }: CheckedInvoices): string[] {
  const lines = invoices.reduce((sum, { invoice }) => sum + invoice.lines.length, 0);
  const isEqual = invoices.every(({ different }) => different.length === 0);
  const unverified = invoices.filter(({ isVerified }) => !isVerified);
  const whose = invoices.length === 1 ? 'of the one customer' : `of all ${invoices.length} customers`;
  return [
    `  the invoices    ${whose}, ${isGapless ? 'numbered without a gap' : 'NUMBERED WITH A GAP'}; ${isEqual ? `${lines} lines, taxes and totals equal to the cent what simple arithmetic makes of the independent count` : 'they DIFFER from what simple arithmetic makes of the independent count:'}`,
    ...invoices.flatMap(({ invoice, different }) => tellDifferences(invoice.customer, different)),
    ...faults.map((fault) => `    ${fault}`),
    `  verified        ${unverified.length === 0 ? 'equal: usage, fingerprints and amounts of each, computed once more from the raw events in the warehouse' : `DIFFERENT: ${unverified.map(({ invoice }) => invoice.customer).join(', ')}`}`,
    ...tellFiles(invoices),
  ];
}

export const tellDifferences = (whose: string, different: readonly Difference[]): string[] =>
  different.map(
    ({ what, found, expected }) =>
      `    ${whose}, ${what}: billed ${found ?? 'nothing'}, independently ${expected ?? 'nothing'}`,
  );

function tellFiles(invoices: readonly CheckedInvoice[]): string[] {
  const [first, ...others] = invoices.flatMap(({ file }) => file ?? []);
  if (first === undefined) return [];
  return [
    `  as PDF          ${first}${others.length === 0 ? '' : `, and the ${others.length} others beside it`}`,
  ];
}

/** The same for a program: every invoice, and the first one by itself. */
export function invoicesToJson({ invoices }: CheckedInvoices): object {
  const documents = invoices.map(
    ({ invoice: { servicePeriod, totals, releasedFrom, ...invoice }, isVerified, file }) => ({
      number: invoice.number,
      state: invoice.state,
      customer: invoice.customer,
      currency: invoice.currency,
      period: servicePeriod,
      issueDate: invoice.issueDate,
      dueDate: invoice.dueDate,
      net: totals.net,
      tax: totals.tax,
      total: totals.total,
      lines: invoice.lines,
      heldFor: releasedFrom.map(({ code }) => code),
      isVerified,
      file,
    }),
  );
  return { invoice: documents[0] ?? null, invoices: documents };
}
