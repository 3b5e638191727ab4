import { fractionOf, shareOf } from '../calendar/proration.ts';
import { timeZone, type TimeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import { withCurrency, type Currency } from '../money/currency.ts';
import { toDecimalText, type Decimal } from '../money/decimal.ts';
import { money, toMoneyText } from '../money/money.ts';
import { prepareCharge } from '../pricing/prepared-charge.ts';
import { PricingError } from '../pricing/pricing-error.ts';
import { rateCharge, type RatedCharge } from '../pricing/rate-charge.ts';
import { rateSegments } from '../pricing/rate-segments.ts';
import type { RatedLine } from '../pricing/settle.ts';
import type { Dimensions, Usage } from '../pricing/usage.ts';
import type { WorkingStage } from '../pricing/working.ts';
import { checkBilledCharges, type BilledCharge } from './check-billed-charges.ts';
import { chargeSegments, type ChargeSegment } from './charge-segments.ts';
import { InvoicingError } from './invoicing-error.ts';
import { workedLines } from './line-working.ts';
import { totalInvoice } from './total-invoice.ts';

export interface BillRequest {
  /** ISO 4217. */
  readonly currency: string;
  /** A whole billing period, of whole minutes: fees, minimums and maximums are due in full. */
  readonly period: TimeWindow;
  /** IANA name: in whose calendar prices change. */
  readonly timezone: string;
  readonly charges: readonly BilledCharge[];
  /** By the key of a charge its usage in each of its segments (`chargeSegments`), of the kind that it needs (`usageNeeded`). */
  readonly usage: ReadonlyMap<string, readonly Usage[]>;
}

/** Numbers are plain decimal text. */
export interface BillLine {
  readonly id: string;
  readonly kind: RatedLine['kind'];
  /** The key of the charge. */
  readonly charge: string;
  readonly description: string;
  readonly period: TimeWindow;
  readonly dimensions?: Dimensions;
  readonly quantity: string | null;
  readonly unitPrice: string | null;
  /** In whole minor units. */
  readonly amount: string;
  readonly working: readonly WorkingStage[];
}

export interface BillTotals {
  readonly charges: string;
  readonly discounts: string;
  readonly net: string;
  readonly tax: string;
  readonly total: string;
}

export interface Bill {
  readonly lines: readonly BillLine[];
  readonly totals: BillTotals;
}

/**
 * From usage to lines: rates every charge in each of its segments, and adds up. Lines are in the order of the charges, of their segments, and
 * of groups; the same usage in whatever order gives the same bill. Throws `InvoicingError` with every violation.
 * Worked: 150 units at 0.10 up to the 16th of a month of 30 days and 0.20 from then on, 50 of them before, are lines of 5 and 20.
 */
export function billUsage(request: BillRequest): Bill {
  const faults = checkBilledCharges(request.charges);
  if (faults.length > 0) throw new InvoicingError(faults);
  const zone = timeZone(request.timezone);
  return withCurrency(request.currency, (currency) => {
    const lines = request.charges.flatMap((charge, index) =>
      naming(`/charges/${index}`, () => chargeLines(request, charge, { zone, decimals: currency.decimals })),
    );
    return { lines: lines.map(toText), totals: totalsOf(currency, lines) };
  });
}

interface RatedPlace extends RatedLine {
  readonly id: string;
  readonly charge: string;
  readonly period: TimeWindow;
  readonly working: readonly WorkingStage[];
}

interface Rules {
  readonly zone: TimeZone;
  readonly decimals: number;
}

/** What a charge cannot be rated with is a fault of the charge. */
function naming<Result>(pointer: string, rate: () => Result): Result {
  try {
    return rate();
  } catch (error) {
    if (!(error instanceof PricingError)) throw error;
    throw new InvoicingError(
      error.violations.map((fault) => ({ ...fault, pointer: `${pointer}${fault.pointer}` })),
    );
  }
}

function chargeLines(request: BillRequest, charge: BilledCharge, rules: Rules): RatedPlace[] {
  const segments = chargeSegments(charge, request.period, rules.zone);
  let number = 0;
  return rated(request, charge, segments, rules).flatMap((one, index) => {
    const { from, to } = segments[index] ?? request.period;
    return workedLines(one, rules.decimals).map((line) => ({
      ...line,
      id: `${charge.key}/${++number}`,
      charge: charge.key,
      period: { from, to },
    }));
  });
}

function rated(
  { period, usage: usageOf }: BillRequest,
  charge: BilledCharge,
  segments: readonly ChargeSegment[],
  { zone, decimals }: Rules,
): readonly RatedCharge[] {
  const all = usageOf.get(charge.key) ?? [];
  const measured = segments.map((segment, index) => {
    const usage = all[index];
    if (usage === undefined) throw new Error(`charge ${charge.key} has no usage of its segment ${index}`);
    const share = shareOf(segment, period, zone, { basis: charge.proration ?? 'exact' });
    return { charge: prepareCharge(charge, segment.price), usage, fraction: fractionOf(share) };
  });
  const [only] = measured;
  // A period without a change is not a part of itself: its working need not say so.
  return only && measured.length === 1
    ? [rateCharge(only.charge, { usage: only.usage, decimals })]
    : rateSegments({ segments: measured, decimals });
}

function totalsOf<C extends string>(currency: Currency<C>, lines: readonly RatedPlace[]): BillTotals {
  const totals = totalInvoice({
    currency,
    lines: lines.map(({ id, period, amount }) => ({
      id,
      period,
      amount: money(currency, amount),
      taxRates: [],
    })),
  });
  return {
    charges: toMoneyText(totals.charges),
    discounts: toMoneyText(totals.discounts),
    net: toMoneyText(totals.net),
    tax: toMoneyText(totals.tax),
    total: toMoneyText(totals.total),
  };
}

const textOf = (value: Decimal | undefined): string | null =>
  value === undefined ? null : toDecimalText(value);

const toText = ({ dimensions, quantity, unitPrice, amount, ...line }: RatedPlace): BillLine => ({
  id: line.id,
  kind: line.kind,
  charge: line.charge,
  description: line.description,
  period: line.period,
  ...(dimensions ? { dimensions } : {}),
  quantity: textOf(quantity),
  unitPrice: textOf(unitPrice),
  amount: toDecimalText(amount),
  working: line.working,
});
