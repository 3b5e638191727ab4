import { groupKey } from '../pricing/groups.ts';
import { comparePeriods } from './billed-lines.ts';
import type {
  CustomerSubjects,
  InvoiceInputs,
  ItemInputs,
  MeasuredUsage,
  SubscriptionInputs,
} from './invoice-inputs.ts';

/**
 * The same inputs in the one order that an invoice is in, in whatever order they were read: who pays before its children, subscriptions and
 * charges by name, earlier items first, bounds last, groups by their values. Events keep the order of their times, and billed lines and
 * lines written by hand theirs.
 */
export const orderInputs = (inputs: InvoiceInputs): InvoiceInputs => ({
  ...inputs,
  usage: inputs.usage && { ...inputs.usage, subjects: orderSubjects(inputs.usage.subjects) },
  subscriptions: inputs.subscriptions
    .map(orderSubscription)
    .sort(
      (a, b) =>
        Number(a.customer.key !== inputs.customer.key) - Number(b.customer.key !== inputs.customer.key) ||
        compareTexts(a.customer.key, b.customer.key) ||
        compareTexts(a.id, b.id),
    ),
});

const orderSubjects = (customers: readonly CustomerSubjects[]): readonly CustomerSubjects[] =>
  customers
    .map(({ customer, subjects }) => ({
      customer,
      subjects: subjects.toSorted((a, b) => compareTexts(a.subject, b.subject)),
    }))
    .sort((a, b) => compareTexts(a.customer, b.customer));

const orderSubscription = (subscription: SubscriptionInputs): SubscriptionInputs => ({
  ...subscription,
  items: subscription.items.map(orderItem).sort(compareItems),
  spentBefore: subscription.spentBefore.toSorted(
    (a, b) => comparePeriods(a.period, b.period) || compareTexts(a.item, b.item),
  ),
});

const orderItem = (item: ItemInputs): ItemInputs => ({ ...item, usage: item.usage.map(orderUsage) });

const orderUsage = (usage: MeasuredUsage): MeasuredUsage =>
  usage.kind === 'groups'
    ? { ...usage, groups: usage.groups.toSorted((a, b) => compareTexts(groupText(a), groupText(b))) }
    : usage;

/** Equal groups are added up, so of them only the bytes have to be in order. */
const groupText = ({ dimensions, quantity, fingerprint }: GroupedUsage): string =>
  JSON.stringify([groupKey(dimensions), quantity, fingerprint]);

type GroupedUsage = Extract<MeasuredUsage, { kind: 'groups' }>['groups'][number];

/** What is gone first, then charges by time, then bounds. */
const RANKS = { gone: 0, usage: 1, fee: 1, once: 1, minimum: 2, maximum: 2 } as const;

function compareItems({ item: a }: ItemInputs, { item: b }: ItemInputs): number {
  const byRank = RANKS[a.kind] - RANKS[b.kind];
  if (byRank !== 0) return byRank;
  const byTime = a.kind === 'gone' || b.kind === 'gone' ? 0 : a.period.from - b.period.from;
  return byTime || compareTexts(a.id, b.id);
}

/** By code units: the same everywhere. */
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
