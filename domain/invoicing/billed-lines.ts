import type { TimeWindow } from '../calendar/window.ts';
import { ZERO, toDecimalText, type Decimal } from '../money/decimal.ts';
import type { BilledLine } from './invoice-inputs.ts';
import type { InvoiceContent, InvoiceLine } from './invoice.ts';
import type { BilledStage } from './invoice-stage.ts';
import { readTaxRate, taxText, type TaxRate } from './tax-rate.ts';

/** A line as what is billed of its item is kept: what comes next is billed less this. */
export const toBilledLine = (invoice: string, line: InvoiceLine): BilledLine => ({
  invoice,
  line: line.id,
  kind: line.kind,
  charge: line.charge,
  plan: line.plan,
  planVersion: line.planVersion,
  description: line.description,
  period: line.period,
  ...(line.dimensions ? { dimensions: line.dimensions } : {}),
  quantity: line.quantity,
  unitPrice: line.unitPrice,
  amount: line.amount,
  taxes: line.taxes,
  ...stillDueOf(line),
});

function stillDueOf({ working }: InvoiceLine): Pick<BilledLine, 'stillDue'> {
  const stillDue = working.flatMap((stage) =>
    stage.stage === 'stillDue' ? [{ period: stage.period, amount: stage.amount }] : [],
  );
  return stillDue.length === 0 ? {} : { stillDue };
}

/** What an invoice adds to what is billed of one item. */
export interface BilledItemLines {
  readonly subscription: string;
  readonly item: string;
  readonly lines: readonly BilledLine[];
}

/** The lines of an invoice by the items that they are of, in its order. Lines that are of none, written by hand, are left out. */
export function billedLinesOf(invoice: string, { lines }: Pick<InvoiceContent, 'lines'>): BilledItemLines[] {
  const ofItems = lines.filter(({ item, subscription }) => item !== null && subscription !== null);
  const groups = Map.groupBy(ofItems, ({ subscription, item }) => JSON.stringify([subscription, item]));
  return [...groups.values()].map((group) => ({
    subscription: group[0]?.subscription ?? '',
    item: group[0]?.item ?? '',
    lines: group.map((line) => toBilledLine(invoice, line)),
  }));
}

export const sumOfBilled = (lines: readonly Pick<BilledLine, 'amount'>[]): Decimal =>
  lines.reduce((sum, { amount }) => sum.plus(amount), ZERO);

/** Lines for the same time together, earlier times first. */
export const byPeriod = (lines: readonly BilledLine[]): BilledLine[][] =>
  [...Map.groupBy(lines, ({ period }) => `${period.from}/${period.to}`).values()].sort((a, b) =>
    comparePeriods(periodOf(a), periodOf(b)),
  );

const periodOf = ([line]: readonly BilledLine[]): TimeWindow => line?.period ?? { from: 0, to: 0 };

export const comparePeriods = (a: TimeWindow, b: TimeWindow): number => a.from - b.from || a.to - b.to;

/** Lines that were taxed alike. */
export interface TaxedAlike {
  readonly taxRates: readonly TaxRate[];
  readonly lines: readonly BilledLine[];
  readonly amount: Decimal;
}

/** What was billed is given back with the taxes that it was billed with. */
export function byTaxes(lines: readonly BilledLine[]): TaxedAlike[] {
  const groups = Map.groupBy(lines, ({ taxes }) => taxes.map((tax) => taxText(readTaxRate(tax))).join());
  return [...groups.values()].map((group) => ({
    taxRates: group[0]?.taxes.map(readTaxRate) ?? [],
    lines: group,
    amount: sumOfBilled(group),
  }));
}

/** A stage for each invoice, in the order in which they billed. */
export const billedStages = (lines: readonly BilledLine[]): BilledStage[] =>
  [...Map.groupBy(lines, ({ invoice }) => invoice)].map(([invoice, ofInvoice]) => ({
    stage: 'billed',
    invoice,
    amount: toDecimalText(sumOfBilled(ofInvoice)),
  }));
