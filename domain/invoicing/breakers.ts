import { LINES_PER_INVOICE_MAX } from '../limits.ts';
import { anyCurrency } from '../money/currency.ts';
import { Decimal, ZERO } from '../money/decimal.ts';
import type { TimeWindow } from '../calendar/window.ts';
import type { BilledLine } from './invoice-inputs.ts';
import type { InvoiceContent, InvoiceLine } from './invoice.ts';
import { isSold } from './net-usage.ts';

/** An invoice of so many times the last one waits for somebody to look at it. */
export const GROWTH_MAX = 10;
/** Below so many minor units (1,000.00 EUR, 100,000 JPY) no growth is remarkable. */
export const GROWTH_FLOOR_MINOR_UNITS = 100_000;

export const BREAKER_CODES = [
  'nothing_due',
  'negative_total',
  'many_times_the_last',
  'too_many_lines',
  'already_billed',
] as const;

/** Why an invoice is not issued without a person's decision; with `nothing_due` there is none at all. */
export interface Breaker {
  readonly code: (typeof BREAKER_CODES)[number];
  readonly message: string;
}

/** What is known of the payer besides what the invoice is a function of. */
export interface BreakerContext {
  /** The total of the last invoice of the same kind, seller and currency that is not void; null: it is the first. */
  readonly lastTotal: string | null;
  /** What earlier invoices have of the subscriptions, around the time that the invoice is for. */
  readonly billed: readonly BilledOfSubscription[];
}

export interface BilledOfSubscription extends Pick<BilledLine, 'kind' | 'charge' | 'period' | 'amount'> {
  readonly subscription: string;
  readonly item: string;
}

/** Everything about an invoice that looks impossible. Nothing found, it may be finalised. */
export function breakers(content: InvoiceContent, context: BreakerContext): Breaker[] {
  const { lines } = content;
  if (lines.length === 0) return [{ code: 'nothing_due', message: 'Nothing is due.' }];
  return [
    ...judgeTotal(content, context),
    ...(lines.length > LINES_PER_INVOICE_MAX
      ? [broken('too_many_lines', `It has ${lines.length} lines, and may have ${LINES_PER_INVOICE_MAX}.`)]
      : []),
    ...judgeRepetition(lines, context.billed),
  ];
}

const broken = (code: Breaker['code'], message: string): Breaker => ({ code, message });

function judgeTotal({ totals, currency }: InvoiceContent, { lastTotal }: BreakerContext): Breaker[] {
  const total = new Decimal(totals.total);
  if (total.lessThan(0)) return [broken('negative_total', `Its total is ${totals.total} ${currency}.`)];
  const floor = new Decimal(GROWTH_FLOOR_MINOR_UNITS).times(`1e-${anyCurrency(currency).decimals}`);
  const last = new Decimal(lastTotal ?? 0);
  if (!last.gt(0) || total.lt(floor) || total.lte(last.times(GROWTH_MAX))) return [];
  const message = `Its total of ${totals.total} ${currency} is more than ${GROWTH_MAX} times the last one, ${lastTotal}.`;
  return [broken('many_times_the_last', message)];
}

/** Usage for time that an invoice has already, of which this one does not take it off. */
function judgeRepetition(lines: readonly InvoiceLine[], billed: readonly BilledOfSubscription[]): Breaker[] {
  const standing = standingOf(lines, billed);
  const repeated = lines.filter(
    (line) =>
      line.usage !== null &&
      standing.get(chargeKey(line))?.some(({ period }) => overlap(period, line.period)),
  );
  const charges = new Set(repeated.map(({ charge, subscription }) => `${charge} of ${subscription}`));
  return [...charges].map((charge) =>
    broken('already_billed', `Usage of ${charge} is on an earlier invoice for the same time.`),
  );
}

type OfItem = Pick<BilledOfSubscription, 'period' | 'charge'> & {
  readonly subscription: string | null;
  readonly item: string | null;
};

const chargeKey = ({ subscription, charge }: Pick<OfItem, 'subscription' | 'charge'>): string =>
  JSON.stringify([subscription, charge]);

const timeKey = ({ subscription, item, period }: OfItem): string =>
  JSON.stringify([subscription, item, period.from, period.to]);

/** What stands on earlier invoices once this one has taken off what it takes off, by charge. */
function standingOf(
  lines: readonly InvoiceLine[],
  billed: readonly BilledOfSubscription[],
): ReadonlyMap<string, readonly BilledOfSubscription[]> {
  const amounts = new Map<string, Decimal>();
  const count = (line: OfItem, amount: string): void => {
    const key = timeKey(line);
    amounts.set(key, (amounts.get(key) ?? ZERO).plus(amount));
  };
  for (const line of billed) count(line, line.amount);
  for (const line of lines) if (!isSold(line)) count(line, line.amount);
  const standing = billed.filter((line) => isSold(line) && !amounts.get(timeKey(line))?.isZero());
  return Map.groupBy(standing, chargeKey);
}

const overlap = (a: TimeWindow, b: TimeWindow): boolean => a.from < b.to && b.from < a.to;
