import type { TimeWindow } from '../calendar/window.ts';
import { toDecimalText } from '../money/decimal.ts';
import { billedStages, byTaxes, comparePeriods, sumOfBilled } from './billed-lines.ts';
import { sumOfDue, type ChargeLine, type DueLine } from './due-line.ts';
import type { BilledLine } from './invoice-inputs.ts';
import type { InvoiceLineKind } from './invoice.ts';
import type { StillDueStage } from './invoice-stage.ts';
import { isSold, nameOf, NOTES } from './net-usage.ts';
import type { TaxRate } from './tax-rate.ts';

/**
 * What is due for a fee less what is billed of it. Whatever was sold alike (of one plan version, as many at the same price) is set off against
 * each other: what was billed and is no longer due is one `unused` line, what is due and was not billed has its own lines.
 * Worked: 5 seats at 10 in advance for 30 days, 8 from the 11th day on: 50 were billed, 16.67 of them are due, so -33.33 is unused, and
 * 8 seats for 20 days are 53.33.
 */
export function netFees(due: readonly ChargeLine[], billed: readonly BilledLine[]): DueLine[] {
  if (billed.length === 0) return [...due];
  const dueParts = partsOf(due);
  const billedParts = partsOf(billed);
  const before = [...billedParts].flatMap(([sold, lines]) => netOfSold(dueParts.get(sold) ?? [], lines));
  const unbilled = [...dueParts].filter(([sold]) => !billedParts.has(sold)).flatMap(([, lines]) => lines);
  return [...before, ...unbilled];
}

/** For time that no invoice has, what is due has lines of its own: nothing of what was billed is a part of it. */
function netOfSold(due: readonly ChargeLine[], billed: readonly BilledLine[]): DueLine[] {
  const difference = sumOfDue(due).minus(sumOfBilled(billed));
  if (covers(billed, due)) {
    if (difference.isZero()) return [];
    const [taxed, ...others] = byTaxes(billed).filter(({ amount }) => !amount.isZero());
    if (difference.lessThan(0) && taxed && others.length === 0)
      return [unusedLine(due, billed, taxed.taxRates)];
  }
  return [...due, ...billedBeforeLines(billed)];
}

type FeeLine = Pick<DueLine, 'kind' | 'plan' | 'planVersion' | 'period' | 'quantity' | 'unitPrice'> & {
  readonly invoice?: string;
};

/** Discounts, maximums and minimums go with the fee before them, which says what was sold. */
export function partsOf<Line extends FeeLine>(lines: readonly Line[]): Map<string, Line[]> {
  const parts = new Map<string, Line[]>();
  const soldIn = new Map<string, string>();
  for (const line of lines) {
    const segment = JSON.stringify([line.invoice, line.plan, line.planVersion, line.period]);
    const known = ADJUSTMENTS.includes(line.kind) ? soldIn.get(segment) : undefined;
    const sold = known ?? JSON.stringify([line.plan, line.planVersion, line.quantity, line.unitPrice]);
    soldIn.set(segment, sold);
    const part = parts.get(sold);
    if (part) part.push(line);
    else parts.set(sold, [line]);
  }
  return parts;
}

const ADJUSTMENTS: readonly InvoiceLineKind[] = ['discount', 'maximum', 'minimum'];
/** Whether the time of every line that is due is on an invoice. */
const covers = (billed: readonly BilledLine[], due: readonly DueLine[]): boolean =>
  due.every(({ period }) =>
    billed.some((line) => isSold(line) && line.period.from <= period.from && line.period.to >= period.to),
  );

/** What was billed less what of it is due all the same; the time is that in which nothing is. */
function unusedLine(
  due: readonly ChargeLine[],
  billed: readonly BilledLine[],
  taxRates: readonly TaxRate[],
): DueLine {
  const [first] = billed;
  return {
    kind: 'unused',
    charge: first?.charge ?? null,
    plan: first?.plan ?? null,
    planVersion: first?.planVersion ?? null,
    description: `${nameOf(billed)}, ${NOTES.unused}`,
    period: timeWithout(due, billed),
    quantity: first?.quantity ?? null,
    unitPrice: first?.unitPrice ?? null,
    amount: sumOfDue(due).minus(sumOfBilled(billed)),
    taxRates,
    working: [...stillDueStages(due), ...billedStages(billed)],
    usage: null,
  };
}

/** Everything that was billed is taken off, since all that is due stands beside it. */
function billedBeforeLines(billed: readonly BilledLine[]): DueLine[] {
  const [first] = billed;
  return byTaxes(billed)
    .filter(({ amount }) => !amount.isZero())
    .map(({ lines, amount, taxRates }) => ({
      kind: 'billedBefore',
      charge: first?.charge ?? null,
      plan: first?.plan ?? null,
      planVersion: first?.planVersion ?? null,
      description: `${nameOf(billed)}, ${NOTES.billedBefore}`,
      period: timeOf(billed),
      quantity: first?.quantity ?? null,
      unitPrice: first?.unitPrice ?? null,
      amount: amount.neg(),
      taxRates,
      working: billedStages(lines),
      usage: null,
    }));
}

/** One for each segment: its lines are one amount with one working, which that of its last line holds whole. */
const stillDueStages = (due: readonly ChargeLine[]): StillDueStage[] =>
  [...Map.groupBy(due, ({ period }) => `${period.from}/${period.to}`).values()].map((lines) => ({
    stage: 'stillDue',
    period: lines[0]?.period ?? { from: 0, to: 0 },
    amount: toDecimalText(sumOfDue(lines)),
    working: lines.at(-1)?.working ?? [],
  }));

/** When what was billed was for; where only what was taken off is left of it, since an invoice is void, the time of that. */
function timeOf(billed: readonly BilledLine[]): TimeWindow {
  const sold = billed.filter(isSold);
  return hullOf(sold.length > 0 ? sold : billed);
}

const hullOf = (lines: readonly { readonly period: TimeWindow }[]): TimeWindow => ({
  from: Math.min(...lines.map(({ period }) => period.from)),
  to: Math.max(...lines.map(({ period }) => period.to)),
});

/** From the first to the last moment that was billed and is not due; all of it where only the price fell. */
function timeWithout(due: readonly DueLine[], billed: readonly BilledLine[]): TimeWindow {
  const all = timeOf(billed);
  const gaps: TimeWindow[] = [];
  let from = all.from;
  for (const { period } of due.toSorted((a, b) => comparePeriods(a.period, b.period))) {
    if (period.from > from) gaps.push({ from, to: period.from });
    from = Math.max(from, period.to);
  }
  if (from < all.to) gaps.push({ from, to: all.to });
  return gaps.length > 0 ? hullOf(gaps.map((period) => ({ period }))) : all;
}
