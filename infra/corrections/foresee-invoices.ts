import { hourStart, type HourIndex, type Instant } from '#domain/instant.ts';
import type { ItemInputs } from '#domain/invoicing/invoice-inputs.ts';
import type { Database } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import type { SnapshotReads } from '#infra/database/database.ts';
import { listInvoices, readInputs } from '#infra/invoicing/read-invoices.ts';
import { payerOf } from '#infra/invoicing/read-payers.ts';
import type { InvoiceRow } from '#infra/invoicing/tables.ts';
import { AFFECTED_NAMED_MAX, type AffectedUsage } from './foresee-affected.ts';

/** An issued invoice whose usage would not be any more what it billed: what it comes to then is late usage. */
export interface ForeseenInvoice {
  readonly id: string;
  readonly number: string | null;
  /** Who pays it. */
  readonly customer: string;
  /** Meters whose usage in its periods changes. */
  readonly meters: readonly string[];
}

export interface ForeseenInvoices {
  readonly first: readonly ForeseenInvoice[];
  /** There are more customers, or more invoices, than were looked at. */
  readonly more: boolean;
}

const STANDING: ReadonlySet<string> = new Set(['issued', 'paid', 'uncollectible']);
/** An invoice has to be opened to be judged. */
const LOOKED_AT_MAX = 200;

interface Question {
  readonly namespace: string;
  /** No invoice of an earlier date bills what is affected. */
  readonly from: Instant;
  readonly usage: AffectedUsage;
}

/** Which issued invoices would have late usage. Changes nothing. */
export async function foreseeInvoices(database: Database, question: Question): Promise<ForeseenInvoices> {
  const customers = [...question.usage.keys()].sort();
  const named = customers.slice(0, AFFECTED_NAMED_MAX);
  return inSnapshot(database, async (snapshot) => {
    const rows = await standingInvoices(snapshot, question, named);
    const looked = rows.slice(0, LOOKED_AT_MAX);
    const first: ForeseenInvoice[] = [];
    for (const row of looked) {
      const meters = await affectedMeters(snapshot, row, question.usage);
      if (meters.length > 0) first.push({ id: row.id, number: row.number, customer: row.customer, meters });
    }
    return { first, more: customers.length > named.length || rows.length > looked.length };
  });
}

async function standingInvoices(
  snapshot: SnapshotReads,
  { namespace, from }: Question,
  customers: readonly string[],
): Promise<InvoiceRow[]> {
  const payers = await Promise.all(customers.map((customer) => payerOf(snapshot, namespace, customer)));
  const keys = new Set(payers.flatMap((payer) => payer?.key ?? []));
  const rows: InvoiceRow[] = [];
  for (const customer of keys) {
    if (rows.length > LOOKED_AT_MAX) break;
    rows.push(...(await listInvoices(snapshot, namespace, { customer, from, limit: LOOKED_AT_MAX + 1 })));
  }
  return rows.filter(({ state }) => STANDING.has(state));
}

async function affectedMeters(
  snapshot: SnapshotReads,
  row: InvoiceRow,
  usage: AffectedUsage,
): Promise<string[]> {
  const { inputs } = await readInputs(snapshot, row);
  const meters = new Set<string>();
  for (const { customer, items } of inputs.subscriptions) {
    const hours = usage.get(customer.key);
    if (hours === undefined) continue;
    for (const item of items)
      for (const meter of metersOf(item)) if (touches(item, hours.get(meter))) meters.add(meter);
  }
  return [...meters].sort();
}

const metersOf = ({ usage }: ItemInputs): string[] =>
  usage.flatMap((each) => ('meter' in each ? each.meter : []));

/** Whether an affected hour has a part of the item's period. */
function touches({ item }: ItemInputs, hours: ReadonlySet<HourIndex> | undefined): boolean {
  if (hours === undefined || item.kind === 'gone') return false;
  const { from, to } = item.period;
  for (const hour of hours) if (hourStart(hour + 1) > from && hourStart(hour) < to) return true;
  return false;
}
