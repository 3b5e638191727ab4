import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Coupon } from '#domain/invoicing/coupon.ts';
import type { ChargedLine } from '#domain/invoicing/charged-line.ts';
import type { TaxRate } from '#domain/invoicing/tax-rate.ts';
import type { Currency } from '#domain/money/currency.ts';
import { parseDecimal } from '#domain/money/decimal.ts';
import { parseMoney } from '#domain/money/money.ts';

/** Builders of terms for tests: amounts and rates as texts, everything else one that will do. */

const DAY_MICROS = 86_400_000_000;
export const periodOf = (first: number, days = 31): TimeWindow => ({
  from: first * DAY_MICROS,
  to: (first + days) * DAY_MICROS,
});
/** The period of whatever does not say one. */
export const PERIOD = periodOf(20_454);

export const vat = (rate: string, exemption?: string): TaxRate => ({
  code: 'vat',
  jurisdiction: 'DE',
  rate: parseDecimal(rate),
  ...(exemption === undefined ? {} : { exemption }),
});

export const lineOf = <C extends string>(
  currency: Currency<C>,
  id: string,
  amount: string,
  rates: readonly string[] = [],
): ChargedLine<C> => ({
  id,
  period: PERIOD,
  amount: parseMoney(currency, amount),
  taxRates: rates.map((rate) => vat(rate)),
});

export const fixed = <C extends string>(
  currency: Currency<C>,
  amount: string,
  terms: { used?: string; lines?: readonly string[] } = {},
): Coupon<C> => ({
  kind: 'fixed',
  key: `${amount} off`,
  amount: parseMoney(currency, amount),
  used: parseMoney(currency, terms.used ?? '0'),
  lines: terms.lines && new Set(terms.lines),
});

export const percentage = (
  percent: string,
  lines?: readonly string[],
): Coupon<never> & { kind: 'percentage' } => ({
  kind: 'percentage',
  key: `${percent} percent off`,
  percent: parseDecimal(percent),
  lines: lines && new Set(lines),
});
