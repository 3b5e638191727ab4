import type { TimeWindow } from '../calendar/window.ts';
import { Decimal, toDecimalText, ZERO } from '../money/decimal.ts';
import { byPeriod, sumOfBilled } from './billed-lines.ts';
import type { BilledItem } from './due-items.ts';
import type { BilledLine, SpentLine } from './invoice-inputs.ts';
import { partsOf } from './net-fees.ts';
import { isSold, latest } from './net-usage.ts';

/** An amount with the time that it is for. */
interface Spent {
  readonly period: TimeWindow;
  readonly amount: Decimal;
}

/**
 * What an item counts for toward the minimums and maximums of its subscription: what was billed for the time that it is still there for. Given
 * back is a part of what was sold, so it shortens the time of that, and is no amount of its own for another time.
 * Worked: 31 for a March of which 11 were given back from the 21st on count as 20 up to the 21st, and nothing after it.
 */
export function spentLinesOf({
  id,
  kind,
  period,
  lines,
}: Omit<BilledItem, 'through' | 'itemHash'>): SpentLine[] {
  const spent = kind === 'fee' ? [...partsOf(lines).values()].flatMap(standingFees) : standingUsage(lines);
  return spent
    .filter(({ amount }) => !amount.isZero())
    .map(({ period: time, amount }) => ({
      item: id,
      kind,
      period: kind === 'fee' ? within(time, period) : time,
      amount: toDecimalText(amount),
    }));
}

const together = (lines: readonly BilledLine[]): Spent => ({
  period: lines[0]?.period ?? { from: 0, to: 0 },
  amount: sumOfBilled(lines),
});

/** Every invoice on usage says all that was due of it. */
const standingUsage = (lines: readonly BilledLine[]): Spent[] =>
  sumTo(byPeriod(latest(lines)).map(together), lines);

/** What stands of what was sold alike, invoice by invoice. */
function standingFees(lines: readonly BilledLine[]): Spent[] {
  let spent: readonly Spent[] = [];
  for (const ofInvoice of Map.groupBy(lines, ({ invoice }) => invoice).values()) {
    const sold = byPeriod(ofInvoice.filter(isSold)).map(together);
    const unused = ofInvoice.filter(({ kind }) => kind === 'unused');
    if (unused.length > 0) spent = unused.flatMap(stillDue);
    // Where all that was billed is taken off, what is due is said anew.
    else spent = ofInvoice.some(({ kind }) => kind === 'billedBefore') ? sold : [...spent, ...sold];
  }
  return sumTo(spent, lines);
}

const stillDue = ({ stillDue: parts = [] }: BilledLine): Spent[] =>
  parts.map(({ period, amount }) => ({ period, amount: new Decimal(amount) }));

/** Where an invoice between them is void, what the others took off of it is left: it is for the same time. */
function sumTo(spent: readonly Spent[], lines: readonly BilledLine[]): Spent[] {
  const rest = sumOfBilled(lines).minus(spent.reduce((sum, { amount }) => sum.plus(amount), ZERO));
  const [first, ...others] = spent;
  if (rest.isZero()) return [...spent];
  return first === undefined
    ? [{ ...together(lines), amount: rest }]
    : [{ ...first, amount: first.amount.plus(rest) }, ...others];
}

/** An item may end earlier than what was sold without anything to give back, such as a fee that is not prorated. */
function within(time: TimeWindow, { from, to }: TimeWindow): TimeWindow {
  const cut = { from: Math.max(time.from, from), to: Math.min(time.to, to) };
  return cut.from < cut.to ? cut : time;
}
