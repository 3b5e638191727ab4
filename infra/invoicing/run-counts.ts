import { Decimal, toDecimalText, ZERO } from '#domain/money/decimal.ts';
import type { CollectedInvoice } from './collected-invoice.ts';
import type { RunCounts } from './tables.ts';

export const NOTHING_COUNTED: RunCounts = {
  customers: 0,
  invoices: 0,
  parked: 0,
  failed: 0,
  lines: 0,
  issued: 0,
  amounts: {},
};

export const addCounts = (a: RunCounts, b: RunCounts): RunCounts => ({
  customers: a.customers + b.customers,
  invoices: a.invoices + b.invoices,
  parked: a.parked + b.parked,
  failed: a.failed + b.failed,
  lines: a.lines + b.lines,
  issued: a.issued + b.issued,
  amounts: addAmounts(a.amounts, b.amounts),
});

function addAmounts(a: RunCounts['amounts'], b: RunCounts['amounts']): RunCounts['amounts'] {
  const currencies = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return Object.fromEntries(
    currencies.map((currency) => [
      currency,
      toDecimalText(new Decimal(a[currency] ?? ZERO).plus(b[currency] ?? ZERO)),
    ]),
  );
}

/** What invoices come to, each counted that says anything. */
export function countInvoices(
  invoices: readonly Pick<CollectedInvoice, 'content' | 'parkedFor'>[],
): RunCounts {
  let counts = NOTHING_COUNTED;
  for (const { content, parkedFor } of invoices)
    if (content.lines.length > 0)
      counts = addCounts(counts, {
        ...NOTHING_COUNTED,
        invoices: 1,
        parked: parkedFor.length > 0 ? 1 : 0,
        lines: content.lines.length,
        amounts: { [content.currency]: content.totals.total },
      });
  return counts;
}
