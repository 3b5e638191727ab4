import type { Instant } from '../instant.ts';
import type { BillingItem } from '../subscriptions/billing-item.ts';
import { isBound, type DueItem, type DueItems } from './due-items.ts';
import type { GoneItem } from './invoice-inputs.ts';

/** A subscription with what is due of it. */
export interface DueSubscription extends DueItems {
  readonly id: string;
  /** Null: it goes on. */
  readonly endAt: Instant | null;
}

/** An item that is to be on an invoice. */
export interface PlannedItem {
  readonly subscription: string;
  readonly item: BillingItem | GoneItem;
  /** Of what is gone: empty. */
  readonly itemHash: string;
}

/** All that is due of one payer, in one currency and from one seller, at one moment. */
export interface PlannedInvoice {
  readonly date: Instant;
  readonly items: readonly PlannedItem[];
  /** Some of what it bills is known only once usage is complete. */
  readonly ofUsage: boolean;
  /** The subscriptions of which a change is not settled with this invoice nor with one before: they have to be looked through again. */
  readonly unsettled: ReadonlySet<string>;
}

/**
 * The invoices of subscriptions that are billed together, in order: one for each moment at which something is due for the first time. Changes of
 * what was billed go on the first invoice from then on; of a subscription that has ended they are due with its end.
 * Worked: after two months without a run there are two invoices, and what was changed before is on the first.
 */
export function plannedInvoices(subscriptions: readonly DueSubscription[], until: Instant): PlannedInvoice[] {
  const dates = datesOf(subscriptions, until);
  const planned = subscriptions.flatMap((each) => placesOf(each, dates));
  const byDate = Map.groupBy(planned, ({ date }) => date);
  const settled = lastChanges(subscriptions, planned);
  return dates.map((date) => {
    const items = byDate.get(date) ?? [];
    return {
      date,
      items: items.map(({ subscription, item, itemHash }) => ({ subscription, item, itemHash })),
      ofUsage: items.some(({ item }) => item.kind === 'usage' || (item.kind !== 'gone' && isBound(item))),
      unsettled: new Set(settled.filter(({ at }) => at > date).map(({ subscription }) => subscription)),
    };
  });
}

function datesOf(subscriptions: readonly DueSubscription[], until: Instant): Instant[] {
  const dates = new Set<Instant>();
  for (const { due, gone, endAt } of subscriptions) {
    for (const { why, dueAt } of due) if (why === 'period') dates.add(dueAt);
    const changes = due.filter(isChange);
    if (endAt === null || endAt > until || (changes.length === 0 && gone.length === 0)) continue;
    dates.add(Math.max(endAt, ...changes.map(({ dueAt }) => dueAt)));
  }
  return [...dates].sort((a, b) => a - b);
}

/** Of each subscription that has any when the last of its changes is settled; Infinity: with none of these invoices. */
function lastChanges(
  subscriptions: readonly DueSubscription[],
  planned: readonly Placed[],
): { readonly subscription: string; readonly at: Instant }[] {
  const last = new Map<string, Instant>();
  for (const { id, isWaiting } of subscriptions) if (isWaiting) last.set(id, Infinity);
  for (const { subscription, date = Infinity, isChange: has } of planned)
    if (has) last.set(subscription, Math.max(date, last.get(subscription) ?? -Infinity));
  return [...last].map(([subscription, at]) => ({ subscription, at }));
}

const isChange = ({ why }: DueItem): boolean => why === 'change';

interface Placed extends PlannedItem {
  /** Undefined while there is no invoice that it could go on. */
  readonly date: Instant | undefined;
  readonly isChange: boolean;
}

function placesOf({ id, due, gone }: DueSubscription, dates: readonly Instant[]): Placed[] {
  return [
    ...due.map((each) => ({
      subscription: id,
      item: each.item,
      itemHash: each.itemHash,
      date: isChange(each) ? dates.find((date) => date >= each.dueAt) : each.dueAt,
      isChange: isChange(each),
    })),
    ...gone.map((each) => ({
      subscription: id,
      item: { kind: 'gone' as const, id: each.id },
      itemHash: '',
      date: dates[0],
      isChange: true,
    })),
  ];
}
