import { PERCENT, parseDecimal, type Decimal } from '../money/decimal.ts';
import { toFraction, type Fraction } from '../money/fraction.ts';
import type { TaxRateText } from '../plans/tax-rate-text.ts';
import type { Violation } from '../violation.ts';

/** One tax as it was when the invoice was made. */
export interface TaxRate {
  /** What kind of tax: `vat`, `gst`, `city`. With the jurisdiction and the rate it tells one tax of an invoice from another. */
  readonly code: string;
  /** Whose tax: a country or a part of one, such as `DE` or `US-CA`. */
  readonly jurisdiction: string;
  /** In percent; 0 where something is exempt. */
  readonly rate: Decimal;
  /** Why nothing is due, as the document has to say: `reverse_charge`. Only with a rate of 0. */
  readonly exemption?: string | undefined;
}

/** A stored rate, to compute with. Throws `MoneyError` where it is no decimal. */
export const readTaxRate = ({ code, jurisdiction, rate, exemption }: TaxRateText): TaxRate => ({
  code,
  jurisdiction,
  rate: parseDecimal(rate),
  ...(exemption == null ? {} : { exemption }),
});

/** The rate as a part of the amount that it is due on: 20 percent is 1/5. */
export const partDue = ({ rate }: TaxRate): Fraction => toFraction(rate.times(PERCENT));

/** Tells the taxes of an invoice apart: lines of one such text are rounded together. */
export const taxText = ({ code, jurisdiction, rate, exemption }: TaxRate): string =>
  JSON.stringify([code, jurisdiction, rate.toFixed(), exemption ?? null]);

/**
 * The rates of a line: those of the first that says any, in the order line, charge, customer, seller. They take each other's place and are
 * never added up; an empty list says that there is no tax, and undefined says nothing.
 */
export const ratesInForce = (levels: readonly (readonly TaxRate[] | undefined)[]): readonly TaxRate[] =>
  levels.find((rates) => rates !== undefined) ?? [];

/** All that is wrong with the rates of one line; `pointer` is that of the list. */
export function checkTaxRates(pointer: string, rates: readonly TaxRate[]): Violation[] {
  const texts = rates.map(taxText);
  return rates.flatMap(({ rate, exemption }, index) => {
    const at = `${pointer}/${index}`;
    const found: Violation[] = [];
    if (!rate.isFinite() || rate.lessThan(0))
      found.push({ pointer: `${at}/rate`, code: 'negative_rate', message: 'is a percentage of 0 or more' });
    if (exemption !== undefined && !rate.isZero())
      found.push({ pointer: `${at}/exemption`, code: 'exempt_rate_not_zero', message: 'needs a rate of 0' });
    if (texts.indexOf(texts[index] ?? '') !== index)
      found.push({ pointer: at, code: 'duplicate_rate', message: 'is on this line already' });
    return found;
  });
}
