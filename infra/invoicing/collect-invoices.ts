import { v7 as uuidV7 } from 'uuid';
import { MICROS_PER_HOUR, MICROS_PER_MILLI, floorToMinute, type Instant } from '#domain/instant.ts';
import { isBound } from '#domain/invoicing/due-items.ts';
import type { CustomerSubjects } from '#domain/invoicing/invoice-inputs.ts';
import { InvoicingError } from '#domain/invoicing/invoicing-error.ts';
import { PricingError } from '#domain/pricing/pricing-error.ts';
import { TooManyDistinctValuesError } from '#domain/usage/measure-distinct.ts';
import { subjectsOfCustomer, type OwnedSubject } from '#infra/customers/own-subjects.ts';
import type { Database, Reads, SnapshotReads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { ChargesRefused } from '#infra/rating/charges-refused.ts';
import { readSellers } from '#infra/sellers/read-sellers.ts';
import { readFreshness, type Freshness } from '#infra/usage/watermark.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { lastTotal, readHeldSubjects, type HeldSubjects } from './breaker-context.ts';
import { buildDrafts, type BuildContext, type MeasuredDraft } from './build-drafts.ts';
import { CannotBeBilled } from './cannot-be-billed.ts';
import type { CollectedInvoice } from './collected-invoice.ts';
import { draftInvoices, type Draft, type DraftRules } from './draft-invoices.ts';
import {
  customerUsage,
  measureItem,
  readMeters,
  withEvents,
  type CustomerUsage,
  type Measured,
  type Measuring,
  type Meters,
} from './measure-items.ts';
import { readPayers, type Payer, type ReadPayers } from './read-payers.ts';
import type { ParkReason, PayerFailure } from './tables.ts';

export interface InvoicingStores {
  readonly database: Database;
  readonly warehouse: Pick<Warehouse, 'query'>;
}

/** For so long after usage is complete an invoice waits all the same, so that what comes a little later than promised is still on it. */
export const GRACE_MICROS = MICROS_PER_HOUR;

export interface CollectInvoices extends Omit<ReadPayers, 'until'> {
  /** What is due by then. */
  readonly asOf: Instant;
  readonly now: Instant;
  readonly graceMicros?: number | undefined;
  /** Usage is taken as it is, whether or not it is complete, and no thresholds are looked at. */
  readonly isPreview?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Lets others go on, between payers. */
  readonly breathe?: (() => Promise<void>) | undefined;
  /** Names invoices; by UUID v7 where nothing is said. */
  readonly newId?: (() => string) | undefined;
}

export interface CollectedInvoices {
  /** Those of one payer in order of date. */
  readonly invoices: readonly CollectedInvoice[];
  readonly failures: readonly PayerFailure[];
  /** Of these payers more is due than one pass takes. */
  readonly more: readonly string[];
}

/**
 * All that is due of some payers by a moment and was never billed, as invoices that are ready to be written; nothing is written. Everything is
 * read in one snapshot, but for events that are priced one by one, which come from the warehouse. Usage is billed once it is complete beyond its
 * period and the grace; an invoice that waits for it stops those of its payer after it. A payer who cannot be billed is named and holds
 * nobody else up. Throws what the stores throw.
 */
export async function collectInvoices(
  stores: InvoicingStores,
  request: CollectInvoices,
): Promise<CollectedInvoices> {
  const { namespace, signal, breathe } = request;
  const { accounts, context } = await inSnapshot(stores.database, (snapshot) =>
    readAccounts(snapshot, request),
  );
  const invoices: CollectedInvoice[] = [];
  const failures: PayerFailure[] = [];
  const more: string[] = [];
  for (const account of accounts) {
    signal?.throwIfAborted();
    await breathe?.();
    const customer = account.payer.customer.key;
    if (account.failure !== undefined) {
      failures.push({ customer, ...account.failure });
      continue;
    }
    try {
      const drafts: MeasuredDraft[] = [];
      for (const { draft, measuring, ...rest } of account.drafts) {
        const usage = [];
        for (const each of measuring)
          usage.push(await withEvents(stores.warehouse, { namespace, readAt: context.readAt }, each, signal));
        drafts.push({ ...draft, ...rest, usage });
      }
      invoices.push(...buildDrafts(drafts, context));
      if (!account.isAll) more.push(customer);
    } catch (error) {
      failures.push({ customer, ...faultOf(error) });
    }
  }
  return { invoices, failures, more };
}

/** What a payer's own data are at fault for; everything else is thrown on. */
function faultOf(error: unknown): ParkReason {
  if (error instanceof CannotBeBilled || error instanceof TooManyDistinctValuesError)
    return { code: error.code, message: error.message };
  if (error instanceof PricingError || error instanceof InvoicingError || error instanceof ChargesRefused)
    return { code: 'cannot_be_rated', message: error.message };
  throw error;
}

/** A draft as far as one snapshot goes. */
interface ReadDraft {
  readonly draft: Draft;
  readonly measuring: readonly (readonly Measuring[])[];
  readonly subjects: readonly CustomerSubjects[];
  readonly lastTotal: string | null;
  readonly held: readonly ParkReason[];
}

interface Account {
  readonly payer: Payer;
  readonly drafts: readonly ReadDraft[];
  readonly isAll: boolean;
  /** Why it cannot be billed; then it has no drafts. */
  readonly failure?: ParkReason;
}

async function readAccounts(
  snapshot: SnapshotReads,
  request: CollectInvoices,
): Promise<{ accounts: Account[]; context: BuildContext }> {
  const { namespace, asOf, now, breathe } = request;
  const freshness = await readFreshness(snapshot, namespace);
  const payers = await readPayers(snapshot, { ...request, until: asOf });
  const rules = rulesOf(request, freshness);
  const drafted = payers.map((payer) => ({ payer, ...draftInvoices(payer, rules) }));
  const sellers = await readSellers(
    snapshot,
    namespace,
    drafted.flatMap(({ drafts }) => drafts.map(({ seller }) => seller)),
  );
  const context = { sellers, freshness, readAt: snapshot.at, newId: request.newId ?? uuidAt(now) };
  if (drafted.every(({ drafts }) => drafts.length === 0)) return { accounts: [], context };
  const meters = await readMeters(snapshot, namespace);
  const holds = await readHeldSubjects(snapshot, namespace);
  const accounts: Account[] = [];
  for (let at = 0; at < drafted.length; at += PAYERS_AT_ONCE) {
    await breathe?.();
    accounts.push(
      ...(await Promise.all(
        drafted.slice(at, at + PAYERS_AT_ONCE).map(async ({ payer, drafts, isAll }) => {
          const reading = { snapshot, meters, holds, customers: new Map() };
          try {
            return { payer, isAll, drafts: await readDrafts(reading, drafts) };
          } catch (error) {
            return { payer, isAll, drafts: [], failure: faultOf(error) };
          }
        }),
      )),
    );
  }
  return { accounts, context };
}

/** Ids that rise in the order in which invoices are made. */
function uuidAt(now: Instant): () => string {
  let seq = 0;
  return () => uuidV7({ msecs: Math.floor(now / MICROS_PER_MILLI), seq: seq++ });
}

/** Payers whose usage is read side by side. */
const PAYERS_AT_ONCE = 8;

function rulesOf(
  { asOf, isPreview = false, graceMicros = GRACE_MICROS }: CollectInvoices,
  freshness: Freshness | undefined,
): DraftRules {
  if (isPreview)
    return { until: asOf, usageThrough: Infinity, withThresholds: false, datesMax: PREVIEW_DATES_MAX };
  const usageThrough =
    freshness === undefined ? null : Math.min(floorToMinute(freshness.completeThrough - graceMicros), asOf);
  return { until: asOf, usageThrough, withThresholds: true, datesMax: DATES_PER_PASS };
}

const DATES_PER_PASS = 24;
/** A preview is told whole: daily periods over all the time that a subscription may go back. */
const PREVIEW_DATES_MAX = 500;

interface Reading {
  readonly snapshot: Reads;
  readonly meters: Meters;
  readonly holds: HeldSubjects;
  /** By key, those whose usage was asked for. */
  readonly customers: Map<string, Promise<CustomerUsage & Measured>>;
}

async function readDrafts(reading: Reading, drafts: readonly Draft[]): Promise<ReadDraft[]> {
  const { namespace } = reading.meters;
  const read: ReadDraft[] = [];
  for (const draft of drafts) {
    const measuring = await Promise.all(draft.items.map((item) => measure(reading, item)));
    const { currency, seller, kind, payer } = draft;
    const like = { customer: payer.customer.key, kind, currency, seller };
    read.push({
      draft,
      measuring,
      subjects: await subjectsIn(reading, draft),
      lastTotal: await lastTotal(reading.snapshot, namespace, like),
      held: await holdsOf(reading, draft),
    });
  }
  return read;
}

async function measure(
  reading: Reading,
  { source, item, through }: Draft['items'][number],
): Promise<Measuring[]> {
  if (item.kind === 'gone' || isBound(item)) return [];
  const { snapshot, meters } = reading;
  const customer = await customerOf(reading, item.kind === 'usage' ? source.customer : null);
  const timezone = source.subscription.timezone;
  return measureItem(snapshot, meters, { customer, timezone }, { item, through });
}

function customerOf(
  { snapshot, meters: { namespace }, customers }: Reading,
  customer: { readonly key: string } | null,
): Promise<CustomerUsage & Measured> {
  if (customer === null) return NOBODY;
  let found = customers.get(customer.key);
  if (found === undefined) {
    found = subjectsOfCustomer(snapshot, namespace, customer.key).then((subjects) => ({
      ...customerUsage(),
      subjects,
    }));
    customers.set(customer.key, found);
  }
  return found;
}

/** Fees are nobody's usage. */
const NOBODY = Promise.resolve({ ...customerUsage(), subjects: [] });

/** Of each customer with usage on an invoice the subjects that were its own in some of the time that it is of. */
async function subjectsIn({ customers }: Reading, { items }: Draft): Promise<CustomerSubjects[]> {
  const ofUsage = items.flatMap(({ item, source, through }) =>
    item.kind === 'usage' ? [{ customer: source.customer.key, from: item.period.from, to: through }] : [],
  );
  const found: CustomerSubjects[] = [];
  for (const [customer, times] of Map.groupBy(ofUsage, (each) => each.customer)) {
    const { subjects = [] } = (await customers.get(customer)) ?? {};
    const isBilled = ({ intervals }: OwnedSubject): boolean =>
      intervals.some((owned) => times.some(({ from, to }) => owned.from < to && (owned.to ?? to) > from));
    found.push({ customer, subjects: subjects.filter(isBilled) });
  }
  return found;
}

/** Only what has usage on it waits for usage that is not in order. */
async function holdsOf({ customers, holds }: Reading, { items }: Draft): Promise<ParkReason[]> {
  const ofUsage = new Set(
    items.flatMap(({ item, source }) => (item.kind === 'usage' ? [source.customer] : [])),
  );
  const reasons: ParkReason[] = [];
  for (const { key } of ofUsage) {
    const customer = await customers.get(key);
    if (customer === undefined) continue;
    if (customer.dirty)
      reasons.push({ code: 'dirty_usage', message: `Usage of ${key} waits to be computed again.` });
    reasons.push(...(await holds.reasonsOf(customer.subjects.map(({ subject }) => subject))));
  }
  return reasons;
}
