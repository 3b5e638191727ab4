import { GRACE_MICROS } from '#infra/invoicing/collect-invoices.ts';
import { DEFAULT_LATENESS_MICROS } from '#infra/usage/watermark.ts';

const DAY_MS = 86_400_000;

/** An invoice waits for usage to be complete, which takes a feed's lateness, and for the grace after that. */
const BILLABLE_AFTER_MS = (DEFAULT_LATENESS_MICROS + GRACE_MICROS) / 1_000;

/** The longest that the last billable midnight can be ago. */
export const BILLABLE_MIDNIGHT_AGE_MS_MAX = DAY_MS + BILLABLE_AFTER_MS;

/** The last midnight (UTC) before which usage can be billed by now: what is sent ends there, so that its month is over. */
export const lastBillableMidnight = (now: number): number =>
  Math.floor((now - BILLABLE_AFTER_MS) / DAY_MS) * DAY_MS;

/** What customers are billed for, [from, to). */
export interface BillingMonth {
  readonly from: string;
  readonly to: string;
}

/** The month that ends at a midnight (UTC): from the same day of the month before, or from that month's last. */
export function monthUntil(midnight: number): BillingMonth {
  const to = new Date(midnight);
  const [year, month] = [to.getUTCFullYear(), to.getUTCMonth()];
  const daysBefore = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const from = new Date(Date.UTC(year, month - 1, Math.min(to.getUTCDate(), daysBefore)));
  return { from: from.toISOString(), to: to.toISOString() };
}
