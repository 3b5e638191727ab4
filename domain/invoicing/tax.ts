import { roundTogether } from '../money/allocate.ts';
import type { Currency } from '../money/currency.ts';
import {
  WHOLE,
  addFractions,
  divideFractions,
  multiplyFractions,
  sumFractions,
  type Fraction,
} from '../money/fraction.ts';
import { noMoney, subtract, sum, type Money } from '../money/money.ts';
import { partDue, taxText, type TaxRate } from './tax-rate.ts';

/** Whether tax comes on top of what lines amount to, or is in it. */
export const PRICES = ['exclusive', 'inclusive'] as const;
export type Prices = (typeof PRICES)[number];

/** What tax is due on: what discounts left of a line, exactly. */
export interface TaxableLine {
  readonly open: Fraction;
  readonly taxRates: readonly TaxRate[];
}

/** One tax on a line, or on all lines together: the net amount it is due on, and itself. */
export interface Tax<C extends string> extends TaxRate {
  readonly base: Money<C>;
  readonly amount: Money<C>;
}

export interface Taxes<C extends string> {
  /** The taxes of each line, in the order of the lines and of their rates. */
  readonly lines: readonly (readonly Tax<C>[])[];
  /** The breakdown: one for each tax of the invoice, in the order in which they first occur. */
  readonly breakdown: readonly Tax<C>[];
  readonly total: Money<C>;
}

/**
 * The taxes of an invoice. Each is rounded once, over all its lines, and spread over them by largest remainder, so the lines sum to the
 * breakdown to the last minor unit. Several rates of a line are due on the same net amount, none on another.
 *
 * `exclusive`: 19 percent of 10.00 are 1.90. `inclusive`: the gross amount is kept and its net is gross / (1 + all rates of the line):
 * 10.00 are 8.40 and 1.60. There the net is what is rounded half away from zero, so of a tie the tax takes the other side.
 */
export function taxesOf<C extends string>(
  currency: Currency<C>,
  lines: readonly TaxableLine[],
  prices: Prices,
): Taxes<C> {
  const dues = lines.map((line) => duesOf(currency, line, prices));
  const groups = [...Map.groupBy(dues.flat(), ({ rate }) => taxText(rate)).values()];
  const totals = groups.map((group) => roundDues(currency, group, prices));
  const { parts: left } = roundTogether(
    currency,
    lines.map(({ open }) => open),
  );
  left.forEach((amount, line) => {
    const onLine = dues[line] ?? [];
    const base =
      prices === 'exclusive'
        ? amount
        : subtract(
            amount,
            sum(
              currency,
              onLine.map(({ amount: tax }) => tax),
            ),
          );
    for (const due of onLine) due.base = base;
  });
  return {
    lines: dues.map((onLine) => onLine.map(toTax)),
    breakdown: groups.flatMap((group) => inAll(currency, group)),
    total: sum(currency, totals),
  };
}

/** A tax on a line on its way: what is due exactly, and what the rounding of all lines made of it. */
interface Due<C extends string> {
  readonly rate: TaxRate;
  readonly exact: Fraction;
  base: Money<C>;
  amount: Money<C>;
}

function duesOf<C extends string>(
  currency: Currency<C>,
  { open, taxRates }: TaxableLine,
  prices: Prices,
): Due<C>[] {
  const parts = taxRates.map(partDue);
  const net = prices === 'exclusive' ? open : divideFractions(open, addFractions(WHOLE, sumFractions(parts)));
  return taxRates.map((rate) => ({
    rate,
    exact: multiplyFractions(net, partDue(rate)),
    base: noMoney(currency),
    amount: noMoney(currency),
  }));
}

/** Fills in what each line bears of one tax, and answers all of it. */
function roundDues<C extends string>(
  currency: Currency<C>,
  dues: readonly Due<C>[],
  prices: Prices,
): Money<C> {
  const rounding = prices === 'inclusive' ? 'halfDown' : 'halfUp';
  const { total, parts } = roundTogether(
    currency,
    dues.map(({ exact }) => exact),
    rounding,
  );
  parts.forEach((part, at) => {
    const due = dues[at];
    if (due) due.amount = part;
  });
  return total;
}

const toTax = <C extends string>({ rate, base, amount }: Due<C>): Tax<C> => ({ ...rate, base, amount });

/** The line of a breakdown: one tax over all the lines that bear it. */
function inAll<C extends string>(currency: Currency<C>, dues: readonly Due<C>[]): Tax<C>[] {
  const base = sum(
    currency,
    dues.map((due) => due.base),
  );
  const amount = sum(
    currency,
    dues.map((due) => due.amount),
  );
  return dues.slice(0, 1).map(({ rate }) => ({ ...rate, base, amount }));
}
