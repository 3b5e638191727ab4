import { hash } from 'node:crypto';
import type { Instant } from '#domain/instant.ts';
import type { BilledItem } from '#domain/invoicing/due-items.ts';
import { isBound } from '#domain/invoicing/due-items.ts';
import type { BillingItem } from '#domain/subscriptions/billing-item.ts';
import { billingItems } from '#domain/subscriptions/billing-items.ts';
import { planVersions, versionsNamed, type PlanVersions } from '#domain/subscriptions/plan-versions.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import { customer as customerTable, type CustomerRow } from '#infra/customers/tables.ts';
import type { Reads } from '#infra/database/database.ts';
import { readPlanVersions } from '#infra/plans/read-plans.ts';
import { subscriptionsOfCustomer } from '#infra/subscriptions/read-subscriptions.ts';
import { readBilling, toBilledItem, unsettled, withoutLinesOf } from './billed-items.ts';
import { billedItem, type SubscriptionBillingRow } from './tables.ts';

/** A subscription as it is to be billed: its items, and what of them is billed. */
export interface BilledSubscription {
  readonly subscription: Subscription;
  readonly versions: PlanVersions;
  readonly customer: CustomerRow;
  readonly billing: SubscriptionBillingRow;
  /** Tells whether it still is as it was when it was billed last. */
  readonly termsHash: string;
  readonly isChanged: boolean;
  /** Those that begin by the moment that was asked for; of an unchanged one only those that are due since it was settled. */
  readonly items: readonly BillingItem[];
  readonly billed: ReadonlyMap<string, BilledItem>;
}

/** A customer without a parent, with what it pays for. */
export interface Payer {
  readonly customer: CustomerRow;
  readonly subscriptions: readonly BilledSubscription[];
}

export interface ReadPayers {
  readonly namespace: string;
  readonly payers: readonly string[];
  readonly until: Instant;
  /** Only this one. */
  readonly subscription?: string | undefined;
  /** In the place of the stored one. */
  readonly changed?: Subscription | undefined;
  /** As if this invoice were thrown away. */
  readonly without?: string | undefined;
}

/** Who pays in the end: the customer itself, or the top of its chain of parents. Undefined when there is no such customer. */
export async function payerOf(
  from: Reads,
  namespace: string,
  customer: string,
): Promise<CustomerRow | undefined> {
  let [row] = await from.read(customerTable, [[namespace, customer]]);
  while (row !== undefined && row.parent !== null) {
    const [parent]: (CustomerRow | undefined)[] = await from.read(customerTable, [[namespace, row.parent]]);
    if (parent === undefined) break;
    row = parent;
  }
  return row;
}

/** All that bills some payers, in their order, from one snapshot and in few round trips however many they are. */
export async function readPayers(from: Reads, request: ReadPayers): Promise<Payer[]> {
  const { namespace, payers } = request;
  const rows = await from.read(
    customerTable,
    payers.map((key) => [namespace, key]),
  );
  const tops = rows.filter((row) => row !== undefined);
  const families = await readFamilies(from, namespace, tops);
  const subscribed = await readSubscriptions(from, request, families);
  const billed = await readBilled(from, request, subscribed);
  return tops.map((customer) => ({
    customer,
    subscriptions: billed.filter((each) => each.payer === customer.key),
  }));
}

interface Member {
  readonly payer: string;
  readonly customer: CustomerRow;
}

/** The payers with all customers below them. */
async function readFamilies(from: Reads, namespace: string, tops: readonly CustomerRow[]): Promise<Member[]> {
  const members: Member[] = [];
  let level = tops.map((customer): Member => ({ payer: customer.key, customer }));
  while (level.length > 0) {
    members.push(...level);
    const below = await Promise.all(level.map((member) => childrenOf(from, namespace, member)));
    level = below.flat();
  }
  return members;
}

const childrenOf = (from: Reads, namespace: string, { payer, customer }: Member): Promise<Member[]> =>
  Array.fromAsync(
    from.scan(customerTable, { prefix: [namespace, customer.key] }, { index: 'byParent' }),
    (child) => ({ payer, customer: child }),
  );

interface Subscribed extends Member {
  readonly subscription: Subscription;
}

async function readSubscriptions(
  from: Reads,
  { namespace, subscription: only, changed }: ReadPayers,
  members: readonly Member[],
): Promise<Subscribed[]> {
  const stored = await Promise.all(
    members.map(async (member) => {
      const subscriptions = await subscriptionsOfCustomer(from, namespace, member.customer.key);
      const others = subscriptions.filter(({ id }) => id !== changed?.id);
      const standsIn = changed?.customer === member.customer.key ? [changed] : [];
      return [...others, ...standsIn].map((subscription) => ({ ...member, subscription }));
    }),
  );
  return stored.flat().filter(({ subscription: { id } }) => only === undefined || id === only);
}

async function readBilled(
  from: Reads,
  { namespace, until, without }: ReadPayers,
  subscribed: readonly Subscribed[],
): Promise<(BilledSubscription & Member)[]> {
  const versions = await readVersions(from, namespace, subscribed);
  const ids = subscribed.map(({ subscription }) => subscription.id);
  const stored = await readBilling(from, namespace, ids);
  const billing = without === undefined ? stored : stored.map(unsettled);
  const read = subscribed.flatMap((each, place) => {
    const row = billing[place];
    return row === undefined
      ? []
      : [{ ...each, versions, ...withItems(each.subscription, versions, row, until) }];
  });
  const known = await readKnownItems(from, namespace, read);
  return Promise.all(
    read.map(async (each, place) => ({
      ...each,
      billed: known[place] ?? (await readAllBilled(from, { namespace, without }, each.subscription.id)),
    })),
  );
}

async function readVersions(
  from: Reads,
  namespace: string,
  subscribed: readonly Subscribed[],
): Promise<PlanVersions> {
  const refs = versionsNamed({ terms: subscribed.flatMap(({ subscription }) => subscription.terms) });
  const versions = await readPlanVersions(from, namespace, refs);
  return planVersions(versions.filter((version) => version !== undefined));
}

type WithItems = Pick<BilledSubscription, 'billing' | 'termsHash' | 'isChanged' | 'items'>;

function withItems(
  subscription: Subscription,
  versions: PlanVersions,
  billing: SubscriptionBillingRow,
  until: Instant,
): WithItems {
  const termsHash = hashOfTerms(subscription);
  const isChanged = billing.settledThrough === null || billing.termsHash !== termsHash;
  const range = { until, ...(isChanged ? {} : { from: billing.settledThrough ?? undefined }) };
  const items = [...billingItems(subscription, versions, range)].filter(
    ({ dueAt }) => isChanged || dueAt > (billing.settledThrough ?? 0),
  );
  return { billing, termsHash, isChanged, items };
}

/** All that a subscription's items are a function of, besides plan versions, which never change. */
function hashOfTerms({ startAt, endAt, timezone, currency, seller, terms }: Subscription): string {
  return hash('sha256', JSON.stringify([startAt, endAt, timezone, currency, seller, terms]), 'base64url');
}

/**
 * What is billed of the items of those subscriptions that went on as they were, in one read; undefined where all that is billed has to be
 * known: of a changed one, and where a minimum or maximum asks what was spent.
 */
async function readKnownItems(
  from: Reads,
  namespace: string,
  read: readonly (WithItems & Subscribed)[],
): Promise<(ReadonlyMap<string, BilledItem> | undefined)[]> {
  const asked = read.map(({ subscription, billing, isChanged, items }) => {
    if (billing.revision === 0) return [];
    if (isChanged || items.some(isBound)) return undefined;
    return items.map(({ id, period }) => [namespace, subscription.id, period.from, id]);
  });
  const keys = asked.flatMap((each) => each ?? []);
  const rows = keys.length === 0 ? [] : await from.read(billedItem, keys);
  let at = 0;
  return asked.map((each) => {
    if (each === undefined) return undefined;
    const own = rows.slice(at, (at += each.length)).filter((row) => row !== undefined);
    return new Map(own.map((row) => [row.item, toBilledItem(row)]));
  });
}

async function readAllBilled(
  from: Reads,
  { namespace, without }: Pick<ReadPayers, 'namespace' | 'without'>,
  subscription: string,
): Promise<ReadonlyMap<string, BilledItem>> {
  const rows = await Array.fromAsync(from.scan(billedItem, { prefix: [namespace, subscription] }));
  const left = rows.flatMap((row) => withoutLinesOf(row, (id) => id === without) ?? []);
  return new Map(left.map((row) => [row.item, toBilledItem(row)]));
}
