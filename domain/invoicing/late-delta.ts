import { timeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import { anyCurrency } from '../money/currency.ts';
import { toDecimalText } from '../money/decimal.ts';
import { sumOfBilled } from './billed-lines.ts';
import { sumOfDue } from './due-line.ts';
import type { InvoiceInputs, ItemInputs, SubscriptionInputs } from './invoice-inputs.ts';
import { rateItem } from './rate-item.ts';

/** What an item comes to now against all invoices that it is on; decimal text, without tax that comes on top. */
export interface ItemDelta {
  readonly item: string;
  readonly charge: string;
  readonly period: TimeWindow;
  readonly due: string;
  readonly billed: string;
  /** `due` - `billed`: above 0 it has still to be paid, below 0 it was too much. */
  readonly delta: string;
}

/**
 * What usage that came late makes of an item that was billed: its period rated as it is now, with its own prices and tiers, less everything
 * that is billed of it. Undefined where that is nothing, and for what is not of usage.
 * Worked: 1,000 units at 0.01 were billed and 30 more have come: 10.30 - 10 = 0.30.
 */
export function lateDelta(
  { currency, timezone }: Pick<InvoiceInputs, 'currency'> & Pick<SubscriptionInputs, 'timezone'>,
  inputs: ItemInputs,
): ItemDelta | undefined {
  const { item, billed } = inputs;
  if (item.kind !== 'usage') return undefined;
  const { decimals } = anyCurrency(currency);
  const due = sumOfDue(rateItem(item, inputs, { zone: timeZone(timezone), decimals, taxRatesOf: () => [] }));
  const before = sumOfBilled(billed);
  if (due.eq(before)) return undefined;
  return {
    item: item.id,
    charge: item.charge,
    period: { from: item.period.from, to: item.period.to },
    due: toDecimalText(due),
    billed: toDecimalText(before),
    delta: toDecimalText(due.minus(before)),
  };
}
