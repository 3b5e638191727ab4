import type { InvoiceLine } from '#domain/invoicing/invoice.ts';
import { toDecimalText, ZERO } from '#domain/money/decimal.ts';

/** The lines of one subscription, or those that are of none. */
export interface LineGroup {
  readonly customer: string | null;
  readonly subscription: string | null;
  /** Of which its lines are, in their order. */
  readonly plans: readonly string[];
  readonly lines: readonly InvoiceLine[];
  /** What they come to. */
  readonly amount: string;
}

/** Lines by customer and subscription, in the order in which they first occur. */
export function groupLines(lines: readonly InvoiceLine[]): LineGroup[] {
  const groups = Map.groupBy(lines, ({ customer, subscription }) => JSON.stringify([customer, subscription]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [
      {
        customer: first.customer,
        subscription: first.subscription,
        plans: [...new Set(group.flatMap(({ plan }) => (plan === null ? [] : [plan])))],
        lines: group,
        amount: toDecimalText(group.reduce((sum, { amount }) => sum.plus(amount), ZERO)),
      },
    ];
  });
}
