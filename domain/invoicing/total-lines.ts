import type { Currency } from '../money/currency.ts';
import { toDecimalText } from '../money/decimal.ts';
import { money, toMoneyText } from '../money/money.ts';
import type { DueLine } from './due-line.ts';
import type { InvoiceContent, InvoiceLine, InvoiceTax } from './invoice.ts';
import type { Prices, Tax } from './tax.ts';
import { totalInvoice } from './total-invoice.ts';

/** A line with whose it is. */
export interface PlacedLine extends DueLine, Pick<InvoiceLine, 'customer' | 'subscription' | 'item'> {}

/** Lines as a document has them, numbered and taxed, with what they come to. More of them than an invoice may have are let through: it is parked. */
export function totalLines<C extends string>(
  currency: Currency<C>,
  lines: readonly PlacedLine[],
  prices: Prices,
): Pick<InvoiceContent, 'lines' | 'totals' | 'taxes'> {
  const totals = totalInvoice({
    currency,
    prices,
    linesMax: Infinity,
    lines: lines.map(({ period, amount, taxRates }, index) => ({
      id: idOf(index),
      period,
      amount: money(currency, amount),
      taxRates,
    })),
  });
  return {
    lines: lines.map((line, index) => toText(line, idOf(index), totals.lines[index]?.taxes ?? [])),
    totals: {
      charges: toMoneyText(totals.charges),
      discounts: toMoneyText(totals.discounts),
      net: toMoneyText(totals.net),
      tax: toMoneyText(totals.tax),
      total: toMoneyText(totals.total),
    },
    taxes: totals.taxes.map(taxToText),
  };
}

const idOf = (index: number): string => String(index + 1);

const toText = <C extends string>(
  { taxRates: _, amount, ...line }: PlacedLine,
  id: string,
  taxes: readonly Tax<C>[],
): InvoiceLine => ({ id, ...line, amount: toDecimalText(amount), taxes: taxes.map(taxToText) });

const taxToText = <C extends string>({
  code,
  jurisdiction,
  rate,
  exemption,
  base,
  amount,
}: Tax<C>): InvoiceTax => ({
  code,
  jurisdiction,
  rate: toDecimalText(rate),
  exemption: exemption ?? null,
  base: toMoneyText(base),
  amount: toMoneyText(amount),
});
