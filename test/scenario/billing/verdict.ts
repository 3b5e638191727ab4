import type { Subscription } from '#domain/subscriptions/subscription.ts';
import type { StoredInvoice } from '#infra/invoicing/read-invoices.ts';
import { coverageFaults } from './coverage-faults.ts';
import { readBilled, type Billed } from './coverage.ts';
import { exact, isEqual, NOTHING, parse, plus, rounded, sum, text, times, type Exact } from './exact.ts';
import { amountOf, DECIMALS, owedItems, type OwedItem } from './owed-items.ts';
import { PLANS } from './plans.ts';
import { countingInvoices, invoiceRows, subscriptionsOf, type Town } from './town.ts';
import type { Minute } from './zoned-periods.ts';

const VERSIONS = new Map(PLANS.map((each) => [`${each.plan}/${each.version}`, each]));

/** Everything that is wrong with the invoices of a town once all that was due by a minute should be on them. */
export async function judge(town: Town, until: Minute): Promise<string[]> {
  const invoices = await countingInvoices(town);
  const billed = readBilled(invoices);
  const owed = subscriptionsOf(town).map((subscription) => {
    const items = owedItems(subscription, { plans: VERSIONS, usage: town.usage, until });
    const [due = [], open = []] = [true, false].map((isDue) =>
      items.filter(({ dueAt }) => dueAt <= until === isDue),
    );
    return { subscription, items: due, begun: begunAmount(subscription, open, billed), open };
  });
  return [
    ...owed.flatMap(({ subscription, items }) => itemFaults(subscription, items, billed)),
    ...owed.flatMap(({ subscription, items }) =>
      coverageFaults(subscription, items, { billed, plans: VERSIONS, until }),
    ),
    ...strangerFaults(owed, billed),
    ...sumFaults(town, owed, invoices),
    ...invoices.flatMap(documentFaults),
    ...numberFaults(town),
    ...unfinishedFaults(town),
  ];
}

interface Owed {
  readonly subscription: Subscription;
  readonly items: readonly OwedItem[];
  /** Usage that goes on; invoices may have the beginning of it. */
  readonly open: readonly OwedItem[];
  readonly begun: Exact;
}

const begunAmount = (
  { id }: Subscription,
  open: readonly OwedItem[],
  billed: ReadonlyMap<string, Billed>,
): Exact =>
  sum(
    open
      .filter(({ kind }) => kind === 'usage')
      .map((item) => billed.get(`${id} ${item.id}`)?.amount ?? NOTHING),
  );

/** Each item has been billed at what it comes to. */
const itemFaults = (
  { id, terms }: Subscription,
  items: readonly OwedItem[],
  billed: ReadonlyMap<string, Billed>,
): string[] =>
  items.flatMap((item) => {
    const amount = billed.get(`${id} ${item.id}`)?.amount ?? NOTHING;
    const due = amountOf(item);
    return isEqual(amount, due)
      ? []
      : [`${id} (${terms.length} terms) ${item.id}: billed ${text(amount)}, due ${text(due)}`];
  });

/** Nothing else has been billed. */
function strangerFaults(owed: readonly Owed[], billed: ReadonlyMap<string, Billed>): string[] {
  const known = new Set(
    owed.flatMap(({ subscription, items, open }) =>
      [...items, ...open.filter(({ kind }) => kind === 'usage')].map(({ id }) => `${subscription.id} ${id}`),
    ),
  );
  return [...billed].flatMap(([name, { amount }]) =>
    known.has(name) || isEqual(amount, NOTHING)
      ? []
      : [`${name}: billed ${text(amount)}, and nothing is due`],
  );
}

/** All lines of all invoices of a customer in a currency sum to what its subscriptions owe. */
function sumFaults({ customers }: Town, owed: readonly Owed[], invoices: readonly StoredInvoice[]): string[] {
  const parents = new Map(customers.map(({ key, parent }) => [key, parent]));
  const payerOf = (key: string): string => {
    const parent = parents.get(key);
    return parent == null ? key : payerOf(parent);
  };
  const dues = Map.groupBy(
    owed,
    ({ subscription: { customer, currency } }) => `${payerOf(customer)} ${currency}`,
  );
  const bills = Map.groupBy(invoices, ({ row: { customer, currency } }) => `${customer} ${currency}`);
  return [...new Set([...dues.keys(), ...bills.keys()])].flatMap((name) => {
    const due = sum((dues.get(name) ?? []).flatMap(({ items, begun }) => [...items.map(amountOf), begun]));
    const billed = sum(
      (bills.get(name) ?? []).flatMap(({ content }) => content.lines.map(({ amount }) => parse(amount))),
    );
    return isEqual(due, billed) ? [] : [`${name}: billed ${text(billed)} in all, due ${text(due)}`];
  });
}

/**
 * A document adds up, has one tax on all of it, and, but for one that is made before an earlier change is settled, repeats nothing.
 */
function documentFaults({ row, content }: StoredInvoice): string[] {
  const { lines, totals, prices } = content;
  const all = sum(lines.map(({ amount }) => parse(amount)));
  const rate = times(parse(lines[0]?.taxes[0]?.rate ?? '0'), exact(1, 100));
  const exactTax =
    prices === 'exclusive' ? times(all, rate) : times(all, { top: rate.top, bottom: rate.top + rate.bottom });
  const tax = taxRounded(exactTax, DECIMALS[content.currency] ?? 2, prices === 'inclusive');
  const total = prices === 'exclusive' ? plus(all, tax) : all;
  return [
    ...(isEqual(parse(totals.tax), tax)
      ? []
      : [`${row.id}: tax of ${totals.tax} on ${text(all)}, not ${text(tax)}`]),
    ...(isEqual(parse(totals.total), total) ? [] : [`${row.id}: ${totals.total} in all, not ${text(total)}`]),
    ...(row.kind === 'period' &&
    row.parkedFor.concat(row.releasedFrom).some(({ code }) => code === 'already_billed')
      ? [`${row.id}: was taken for what was billed already`]
      : []),
  ];
}

/** Half of a minor unit of tax that is in a price stays with the net. */
function taxRounded(value: Exact, decimals: number, isInclusive: boolean): Exact {
  const scale = 10n ** BigInt(decimals);
  const isHalf = (2n * value.top * scale) % value.bottom === 0n && (value.top * scale) % value.bottom !== 0n;
  if (!isInclusive || !isHalf) return rounded(value, decimals);
  return { top: (value.top * scale) / value.bottom, bottom: scale };
}

/** Everything that was made has been issued. */
const unfinishedFaults = (town: Town): string[] =>
  invoiceRows(town).flatMap(({ id, state }) =>
    state === 'draft' || state === 'finalised' ? [`${id}: is still ${state}`] : [],
  );

/** The numbers of each seller in each year are 1, 2, 3 and so on, whatever was voided. */
function numberFaults(town: Town): string[] {
  const numbered = invoiceRows(town).flatMap(({ number, seller }) =>
    number === null ? [] : [{ number, seller }],
  );
  const series = Map.groupBy(
    numbered,
    ({ number, seller }) => `${seller} ${number.slice(0, -NUMBER_DIGITS)}`,
  );
  return [...series].flatMap(([name, all]) => {
    const numbers = all.map(({ number }) => Number(number.slice(-NUMBER_DIGITS))).sort((a, b) => a - b);
    return numbers.every((number, index) => number === index + 1) ? [] : [`${name}: ${numbers.join()}`];
  });
}

const NUMBER_DIGITS = 6;
