import { fractionOf, shareOf } from '../calendar/proration.ts';
import type { TimeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import { allocate } from '../money/allocate.ts';
import type { Currency } from '../money/currency.ts';
import { ONE, parseDecimal, toDecimalText, type Decimal } from '../money/decimal.ts';
import { fraction, type Fraction } from '../money/fraction.ts';
import { add, money, noMoney, parseMoney, prorated, sum, toMoneyText, type Money } from '../money/money.ts';
import { overMaximum } from './bounds.ts';
import type { BoundItem } from '../subscriptions/billing-item.ts';
import { settleCommitment } from './commitment.ts';
import type { DueLine } from './due-line.ts';
import type { SpentLine } from './invoice-inputs.ts';
import { taxText, type TaxRate } from './tax-rate.ts';

/** What may count toward a bound: what is due for charges and earlier bounds of this invoice, and what earlier invoices have. */
export interface Spent {
  readonly here: readonly DueLine[];
  readonly before: readonly SpentLine[];
}

export interface BoundRules<C extends string> {
  readonly currency: Currency<C>;
  readonly zone: TimeZone;
  /** Of what is of no charge. */
  readonly taxRates: readonly TaxRate[];
}

/**
 * Bounds in the order in which they count: shorter ones first, since what they add or take off counts toward those around them, and of equal
 * ones the minimum, so that nothing comes on top of a maximum.
 */
export const inOrderOfBounds = (items: readonly BoundItem[]): BoundItem[] =>
  items.toSorted((a, b) => rankOf(a) - rankOf(b) || a.period.from - b.period.from || (a.id < b.id ? -1 : 1));

/** Lengths are whole microseconds, so half of one between the kinds never reaches the next length. */
const rankOf = ({ kind, period }: Pick<SpentLine, 'kind' | 'period'>): number =>
  period.to - period.from + (kind === 'maximum' ? 0.5 : 0);

/**
 * The lines of a minimum: what is missing to it, or what goes beyond it costs more; or of a maximum: what is over is taken off. Lines for time
 * within the period count. Where a period has several bounds one after the other, each counts a line by the part of its time that it has.
 * Worked: at least 100 a month, 50 from the 16th of 30 days on, and 30 spent since: 20 are missing.
 */
export function boundLines<C extends string>(
  item: BoundItem,
  { here, before }: Spent,
  rules: BoundRules<C>,
): DueLine[] {
  const { currency, zone } = rules;
  const part = fractionOf(shareOf(item.period, item.period.period, zone, { basis: 'exact' }));
  const counted = here.flatMap((line) => countedOf(item, line, money(currency, line.amount)));
  const earlier = before
    .filter((line) => isCharge(line) || rankOf(line) < rankOf(item))
    .flatMap((line) => countedOf(item, line, parseMoney(currency, line.amount)));
  const amounts = [...counted, ...earlier].map(({ amount }) => ({ period: item.period, amount }));
  const amount = parseMoney(currency, item.amount);
  return item.kind === 'minimum'
    ? minimumLines(item, { amount, part, amounts }, rules)
    : maximumLines(item, { amount, part, amounts, here: counted }, rules);
}

const isCharge = ({ kind }: SpentLine): boolean => kind !== 'minimum' && kind !== 'maximum';

/** What of a line counts toward a bound, or nothing. */
function countedOf<C extends string, Line extends { readonly period: TimeWindow }>(
  { period }: BoundItem,
  line: Line,
  amount: Money<C>,
): { readonly line: Line; readonly amount: Money<C> }[] {
  const { from, to } = line.period;
  if (from < period.period.from || to > period.period.to) return [];
  const shared = Math.min(to, period.to) - Math.max(from, period.from);
  if (shared <= 0) return [];
  return [{ line, amount: shared === to - from ? amount : prorated(amount, partOf(shared, to - from)) }];
}

const partOf = (micros: number, all: number): Fraction => fraction(BigInt(micros), BigInt(all));

interface Measured<C extends string> {
  /** Of a whole period. */
  readonly amount: Money<C>;
  readonly part: Fraction;
  readonly amounts: readonly { readonly period: TimeWindow; readonly amount: Money<C> }[];
}

function minimumLines<C extends string>(
  item: BoundItem,
  { amount, part, amounts }: Measured<C>,
  { taxRates }: BoundRules<C>,
): DueLine[] {
  const factor = item.overageFactor == null ? ONE : parseDecimal(item.overageFactor);
  const commitment = { key: item.id, period: item.period, amount, part, overageFactor: factor };
  const { committed, spent, trueUp, surcharge } = settleCommitment(commitment, amounts);
  const known = { ...boundText(amount, part), spent: toMoneyText(spent), minimum: toMoneyText(committed) };
  return [
    lineOf(
      item,
      { kind: 'planMinimum', amount: trueUp.amount, taxRates },
      {
        ...known,
        stage: 'planMinimum',
        missing: toMoneyText(trueUp),
      },
    ),
    lineOf(
      item,
      { kind: 'planOverage', amount: surcharge.amount, taxRates },
      {
        ...known,
        stage: 'planOverage',
        factor: toDecimalText(factor),
        surcharge: toMoneyText(surcharge),
      },
    ),
  ].filter((line) => !line.amount.isZero());
}

/** What is over goes off in proportion to what is taxed alike, so that each tax is due on what is left of its own lines. */
function maximumLines<C extends string>(
  item: BoundItem,
  { amount, part, amounts, here }: Measured<C> & { readonly here: readonly Counted<C>[] },
  { currency, taxRates }: BoundRules<C>,
): DueLine[] {
  const maximum = prorated(amount, part);
  const spent = sum(
    currency,
    amounts.map((each) => each.amount),
  );
  const [over = noMoney(currency)] = overMaximum(maximum, [spent]);
  if (!over.amount.gt(0)) return [];
  const shares = sharesByTax(currency, here);
  const parts = shares.length > 0 ? shares : [{ taxRates, amount: over }];
  const split = allocate(
    over,
    parts.map((share) => share.amount.amount),
  );
  return parts.flatMap((share, index) => {
    const off = split[index];
    if (!off || off.amount.isZero()) return [];
    return [
      lineOf(
        item,
        { kind: 'planMaximum', amount: off.amount.neg(), taxRates: share.taxRates },
        {
          ...boundText(amount, part),
          stage: 'planMaximum',
          spent: toMoneyText(spent),
          maximum: toMoneyText(maximum),
          over: toMoneyText(over),
          part: toMoneyText(off),
        },
      ),
    ];
  });
}

interface TaxShare<C extends string> {
  readonly taxRates: readonly TaxRate[];
  readonly amount: Money<C>;
}

interface Counted<C extends string> {
  readonly line: DueLine;
  readonly amount: Money<C>;
}

function sharesByTax<C extends string>(currency: Currency<C>, counted: readonly Counted<C>[]): TaxShare<C>[] {
  const shares = new Map<string, TaxShare<C>>();
  for (const {
    line: { taxRates },
    amount,
  } of counted) {
    const key = taxRates.map(taxText).join();
    const known = shares.get(key)?.amount ?? noMoney(currency);
    shares.set(key, { taxRates, amount: add(known, amount) });
  }
  return [...shares.values()].filter((share) => share.amount.amount.gt(0));
}

const boundText = <C extends string>(amount: Money<C>, { numerator, denominator }: Fraction) => ({
  amount: toMoneyText(amount),
  fraction: `${numerator}/${denominator}`,
});

const DESCRIPTIONS = {
  planMinimum: 'Minimum',
  planOverage: 'Beyond the minimum',
  planMaximum: 'Maximum',
} as const;

interface BoundAmount {
  readonly kind: keyof typeof DESCRIPTIONS;
  readonly amount: Decimal;
  readonly taxRates: readonly TaxRate[];
}

const lineOf = (
  { period: { from, to } }: BoundItem,
  { kind, amount, taxRates }: BoundAmount,
  stage: DueLine['working'][number],
): DueLine => ({
  kind,
  charge: null,
  plan: null,
  planVersion: null,
  description: DESCRIPTIONS[kind],
  period: { from, to },
  quantity: null,
  unitPrice: null,
  amount,
  taxRates,
  working: [stage],
  usage: null,
});
