import { checkTaxRates, type TaxRate } from '../invoicing/tax-rate.ts';
import { TAX_CODE_BYTES_MAX, TAX_RATES_PER_LINE_MAX } from '../limits.ts';
import { checkNumber, numberOf, violation } from '../pricing/check-number.ts';
import { checkPrintable, type Violation } from '../violation.ts';
import type { TaxRateText } from './tax-rate-text.ts';

/** All that is wrong with tax rates as they are given; `pointer` is that of the list. */
export function checkTaxRateTexts(pointer: string, texts: readonly TaxRateText[]): Violation[] {
  if (texts.length > TAX_RATES_PER_LINE_MAX)
    return [violation(pointer, 'too_many', `has more than ${TAX_RATES_PER_LINE_MAX} rates`)];
  const faults = texts.flatMap((text, index) => checkText(`${pointer}/${index}`, text));
  if (faults.length > 0) return faults;
  return checkTaxRates(pointer, texts.flatMap(toRate));
}

const checkText = (at: string, { code, jurisdiction, rate, exemption }: TaxRateText): Violation[] => [
  ...checkPrintable(`${at}/code`, code, TAX_CODE_BYTES_MAX),
  ...checkPrintable(`${at}/jurisdiction`, jurisdiction, TAX_CODE_BYTES_MAX),
  ...checkNumber(`${at}/rate`, rate),
  ...(exemption == null ? [] : checkPrintable(`${at}/exemption`, exemption, TAX_CODE_BYTES_MAX)),
];

function toRate({ code, jurisdiction, rate, exemption }: TaxRateText): TaxRate[] {
  const percent = numberOf(rate);
  return percent ? [{ code, jurisdiction, rate: percent, exemption: exemption ?? undefined }] : [];
}
