import type { TimeWindow } from '../calendar/window.ts';
import type { Instant } from '../instant.ts';
import type { BillingItem, BoundItem } from '../subscriptions/billing-item.ts';
import { sumOfBilled } from './billed-lines.ts';
import type { BilledLine } from './invoice-inputs.ts';

/** What of one item is on documents. */
export interface BilledItem {
  readonly id: string;
  readonly kind: BillingItem['kind'];
  readonly period: TimeWindow;
  /** How far it is billed; below the end of its period it was billed before that was over. */
  readonly through: Instant;
  /** `itemHash` of the item as it was billed last. */
  readonly itemHash: string;
  /** In the order of their invoices. */
  readonly lines: readonly BilledLine[];
}

/** What of a subscription is on documents, by the ids of items. */
export type BilledItems = ReadonlyMap<string, BilledItem>;

/** An item that has to be looked at. */
export interface DueItem {
  readonly item: BillingItem;
  readonly itemHash: string;
  /**
   * `period`: it is due at `dueAt`, its own due moment. `change`: that has passed with an invoice already; what it comes to now is due with
   * the next invoice from `dueAt` on.
   */
  readonly why: 'period' | 'change';
  readonly dueAt: Instant;
}

export interface DueItems {
  readonly due: readonly DueItem[];
  /** Billed, and no longer there at all: what has not been given back of them is due back with the next invoice. */
  readonly gone: readonly BilledItem[];
  /** Something that was billed is to change later: until that is due too, the subscription has to be looked through. */
  readonly isWaiting: boolean;
}

export interface BilledSoFar {
  readonly items: BilledItems;
  /** All that was due by then has been on an invoice, as the subscription was at that time; null: nothing has. */
  readonly settledThrough: Instant | null;
  /** The subscription is not as it was then: all of its items are looked at, and not only those that are due since. */
  readonly isChanged: boolean;
}

/**
 * Which of a subscription's items are due by `until`: those that were never billed to their end, those that were and have changed since, and the
 * minimums and maximums that their time lies in. `items` are all that begin by then, or all of those that are due since `settledThrough`; `hashOf` tells one form of an item from another.
 */
export function dueItems(
  items: Iterable<BillingItem>,
  billed: BilledSoFar,
  { until, hashOf }: { readonly until: Instant; readonly hashOf: (item: BillingItem) => string },
): DueItems {
  const due: DueItem[] = [];
  const settledBounds: DueItem[] = [];
  const there = new Set<string>();
  let isWaiting = false;
  for (const item of items) {
    there.add(item.id);
    if (item.dueAt > until) continue;
    const found = billed.items.get(item.id);
    const one = { item, itemHash: hashOf(item), ...whenDue(item, billed, found) };
    if (found === undefined || !isSettled(found, one.itemHash)) {
      if (one.dueAt <= until) due.push(one);
      else isWaiting = true;
    } else if (isBound(item)) settledBounds.push(one);
  }
  const gone = billed.isChanged ? goneItems(billed.items, there, until) : [];
  return { due: [...due, ...settledBounds.flatMap((bound) => movedWith(bound, due))], gone, isWaiting };
}

export const isBound = (item: BillingItem): item is BoundItem =>
  item.kind === 'minimum' || item.kind === 'maximum';

function whenDue(
  item: BillingItem,
  { settledThrough }: BilledSoFar,
  billed: BilledItem | undefined,
): Pick<DueItem, 'why' | 'dueAt'> {
  const { dueAt } = item;
  // After a void invoice it is not known how far all is settled, but what other invoices billed whole they have billed all the same.
  const isPast = dueAt <= (settledThrough ?? -Infinity) || isWhole(billed);
  if (!isPast) return { why: 'period', dueAt };
  return { why: 'change', dueAt: billed === undefined ? dueAt : Math.max(dueAt, changesAt(item, billed)) };
}

/** A bound that was settled is settled again with what now is due of the time that it is for, once all of that is. */
function movedWith(bound: DueItem, due: readonly DueItem[]): DueItem[] {
  const { from, to } = bound.item.period;
  const moving = due.filter(({ item }) => item.period.from < to && item.period.to > from);
  if (moving.length === 0) return [];
  return [{ ...bound, why: 'change', dueAt: Math.max(...moving.map(({ dueAt }) => dueAt)) }];
}

/** Whether an item was billed to its end as it then was, and no line of that was taken off since. */
const isWhole = (billed: BilledItem | undefined): boolean => billed !== undefined && billed.itemHash !== '';

/** Usage that was billed so far as it had come is not: the rest is due with the end. */
const isSettled = ({ through, period, itemHash }: BilledItem, now: string): boolean =>
  through >= period.to && itemHash === now;

/** What begins later than anybody asked for is not gone. */
const goneItems = (billed: BilledItems, there: ReadonlySet<string>, until: Instant): BilledItem[] =>
  [...billed.values()].filter(
    ({ id, period, lines }) => !there.has(id) && period.from <= until && !sumOfBilled(lines).isZero(),
  );

/**
 * When an item first differs from what was billed of it. A change that is still to come may be undone until then, so it is settled no
 * sooner. Worked: March paid in advance, and cut to the 20th by a cancellation, is settled from the 20th on.
 */
function changesAt(item: BillingItem, billed: BilledItem): Instant {
  const { from, to } = item.period;
  const ends = new Set(billed.lines.map(({ period }) => period.to));
  const boundaries = 'segments' in item ? item.segments.map((segment) => segment.from) : [];
  const moments = boundaries.filter((at) => at > from && !ends.has(at));
  if (to < billed.period.to) moments.push(to);
  return moments.length === 0 ? from : Math.min(...moments);
}
