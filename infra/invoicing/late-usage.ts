import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import type { ItemInputs, MeasuredUsage, SubscriptionInputs } from '#domain/invoicing/invoice-inputs.ts';
import { lateDelta, type ItemDelta } from '#domain/invoicing/late-delta.ts';
import { groupKey } from '#domain/pricing/groups.ts';
import type { ChargeItem } from '#domain/subscriptions/billing-item.ts';
import { TooManyDistinctValuesError } from '#domain/usage/measure-distinct.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import { subjectsOfCustomer } from '#infra/customers/own-subjects.ts';
import type { SnapshotReads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { ChargesRefused } from '#infra/rating/charges-refused.ts';
import { HOUR_CELL_DAYS } from '#infra/usage/tables.ts';
import { CannotBeBilled } from './cannot-be-billed.ts';
import type { InvoicingStores } from './collect-invoices.ts';
import { customerUsage, measureItem, withEvents, type Measuring, type Meters } from './measure-items.ts';
import { readAllMeterVersions, type MeterVersions } from './proof/line-question.ts';
import { readInputs } from './read-invoices.ts';
import { billedItem, type InvoiceRow } from './tables.ts';

/** What usage that came or was voided after an invoice was collected makes of an item that it bills. */
export interface LateUsage extends ItemDelta {
  readonly subscription: string;
  /** Whose usage it is. */
  readonly customer: string;
}

export interface ReadLateUsage {
  readonly row: InvoiceRow;
  readonly now: Instant;
  readonly signal?: AbortSignal | undefined;
}

/** States in which an invoice is a document that counts. */
const STANDING = ['issued', 'paid', 'uncollectible'];
/** While cells have their minutes, what they had counted can be told from what they have now. */
const LATE_DAYS_MAX = HOUR_CELL_DAYS - 1;

/**
 * The late usage of an issued invoice: items whose events are not those any more that were billed, and what they come to now, with their own prices and
 * tiers, less everything that is billed of them. An item that several invoices have a part of is listed with the last one; one that goes on is not,
 * since its next invoice bills it all. Null where it cannot be told. Throws what the stores throw.
 */
export async function readLateUsage(
  { database, warehouse }: InvoicingStores,
  { row, now, signal }: ReadLateUsage,
): Promise<LateUsage[] | null> {
  if (!STANDING.includes(row.state)) return [];
  const { namespace } = row;
  try {
    const { readAt, currency, changed } = await inSnapshot(database, (snapshot) =>
      readChanged(snapshot, row, now),
    );
    const late: LateUsage[] = [];
    for (const { subscription, inputs, measuring } of changed) {
      const usage = await withEvents(warehouse, { namespace, readAt }, measuring, signal);
      const delta = lateDelta({ currency, timezone: subscription.timezone }, { ...inputs, usage });
      if (delta) late.push({ subscription: subscription.id, customer: subscription.customer.key, ...delta });
    }
    return late;
  } catch (error) {
    if (isTooMuch(error)) return null;
    throw error;
  }
}

/** More than can be billed at once, or events that are still on their way to the warehouse. */
const isTooMuch = (error: unknown): boolean =>
  error instanceof CannotBeBilled ||
  error instanceof ChargesRefused ||
  error instanceof TooManyDistinctValuesError;

/** An item with other usage than it was billed with. */
interface Changed {
  readonly subscription: SubscriptionInputs;
  /** With all that is billed of it. */
  readonly inputs: ItemInputs;
  readonly measuring: readonly Measuring[];
}

async function readChanged(
  snapshot: SnapshotReads,
  row: InvoiceRow,
  now: Instant,
): Promise<{ readAt: Instant; currency: string; changed: Changed[] }> {
  const { namespace } = row;
  const { inputs } = await readInputs(snapshot, row);
  const versions = await readAllMeterVersions(snapshot, namespace);
  const { rolledThrough } = await readCatalogueRow(snapshot, namespace);
  const changed: Changed[] = [];
  for (const subscription of inputs.subscriptions) {
    const items = await readClosed(snapshot, row, subscription, now - LATE_DAYS_MAX * MICROS_PER_DAY);
    if (items.length === 0) continue;
    const subjects = await subjectsOfCustomer(snapshot, namespace, subscription.customer.key);
    const asker = { customer: { ...customerUsage(), subjects }, timezone: subscription.timezone };
    for (const { item, inputs: billed } of items) {
      const meters = metersOf(billed, versions, { namespace, rolledThrough });
      if (meters === undefined) continue;
      const measuring = await measureItem(snapshot, meters, asker, { item, through: billed.through });
      if (measuring.some((measured, place) => !isAsBilled(measured, billed.usage[place])))
        changed.push({ subscription, inputs: billed, measuring });
    }
  }
  return { readAt: snapshot.at, currency: inputs.currency, changed };
}

interface ClosedItem {
  readonly item: ChargeItem;
  readonly inputs: ItemInputs;
}

/** The items of usage that this invoice was the last to bill, whole, and whose cells still tell. */
async function readClosed(
  snapshot: SnapshotReads,
  { namespace, id }: InvoiceRow,
  { id: subscription, items }: SubscriptionInputs,
  since: Instant,
): Promise<ClosedItem[]> {
  const ofUsage = items.flatMap((inputs) =>
    inputs.item.kind === 'usage' && inputs.item.period.from >= since ? [{ item: inputs.item, inputs }] : [],
  );
  if (ofUsage.length === 0) return [];
  const rows = await snapshot.read(
    billedItem,
    ofUsage.map(({ item }) => [namespace, subscription, item.period.from, item.id]),
  );
  return ofUsage.flatMap(({ item, inputs }, place) => {
    const billed = rows[place];
    const isLast = billed !== undefined && billed.lines.at(-1)?.invoice === id;
    return isLast && billed.through >= billed.periodTo
      ? [{ item, inputs: { ...inputs, through: billed.through, billed: billed.lines } }]
      : [];
  });
}

/** The versions that the item was measured with, whichever answer questions by now. Undefined where cells of one are not kept any more. */
function metersOf(
  { usage }: ItemInputs,
  versions: MeterVersions,
  rest: Omit<Meters, 'active'>,
): Meters | undefined {
  const measured = usage.flatMap((each) => ('meter' in each ? versions(each.meter, each.meterVersion) : []));
  if (measured.some(({ state }) => state === 'ended')) return undefined;
  return { ...rest, active: new Map(measured.map((meter) => [meter.key, meter])) };
}

/** Quantities count too: what is held over time follows from events of before the period. */
function isAsBilled(now: Measuring, billed: MeasuredUsage | undefined): boolean {
  if (!('kind' in now)) return billed?.kind === 'events' && billed.fingerprint === now.fingerprint;
  if (now.kind === 'groups' && billed?.kind === 'groups')
    return (
      now.groups.length === billed.groups.length &&
      new Set([...now.groups, ...billed.groups].map(groupText)).size === now.groups.length
    );
  if (now.kind === 'quantity' && billed?.kind === 'quantity')
    return now.fingerprint === billed.fingerprint && now.quantity === billed.quantity;
  return now.kind === billed?.kind;
}

const groupText = ({
  dimensions,
  quantity,
  fingerprint,
}: Extract<MeasuredUsage, { kind: 'groups' }>['groups'][number]): string =>
  JSON.stringify([groupKey(dimensions), quantity, fingerprint]);
