import type { Instant } from '#domain/instant.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { isParked, requireInvoice } from './change-invoice.ts';
import type { InvoicingStores } from './collect-invoices.ts';
import type { CollectedInvoice } from './collected-invoice.ts';
import { InvoicingRuleError } from './errors.ts';
import { merkleRootsOf, type ProvableInvoice } from './merkle-roots.ts';
import { netTermDaysOf, numberInvoices, type Unnumbered } from './number-invoices.ts';
import { readContent, readInputs } from './read-invoices.ts';
import { invoice, type InvoiceRow } from './tables.ts';
import { untilKnown } from '#infra/database/until-known.ts';

/** Invoices that get their numbers in one transaction where nothing is said. */
const ISSUED_PER_COMMIT = 200;

export interface IssueInvoices {
  readonly namespace: string;
  /** Of all sellers where none is named. */
  readonly seller?: string | undefined;
  readonly clock: () => Instant;
  readonly signal?: AbortSignal | undefined;
  readonly perCommit?: number | undefined;
  /** Called after each commit with the number of invoices issued so far. */
  readonly onIssued?: ((issued: number) => void) | undefined;
}

/**
 * Issues everything that is finalised: Merkle roots over the events behind each line, and numbers without gaps, batch by batch. Whatever is killed when,
 * an invoice has its number or waits for it. Returns how many this call issued. Throws what the stores throw.
 */
export async function issueInvoices(stores: InvoicingStores, request: IssueInvoices): Promise<number> {
  const { namespace, clock, signal, onIssued } = request;
  let issued = 0;
  for (let after = ''; ;) {
    signal?.throwIfAborted();
    const batch = await readFinalised(stores, request, after);
    const last = batch.at(-1);
    if (last === undefined) return issued;
    const ready = await prepareIssue(stores, batch);
    const { result } = await untilKnown(() =>
      stores.database.transact((tx) => issuePrepared(tx, namespace, ready, clock())),
    );
    issued += result.issued;
    onIssued?.(issued);
    after = last.id;
  }
}

async function readFinalised(
  { database }: InvoicingStores,
  { namespace, seller, perCommit = ISSUED_PER_COMMIT }: IssueInvoices,
  after: string,
): Promise<InvoiceRow[]> {
  const rows: InvoiceRow[] = [];
  const range = { prefix: [namespace, 'finalised'], from: after };
  for await (const row of database.scan(invoice, range, { index: 'byState' })) {
    if (row.id === after || (seller !== undefined && row.seller !== seller)) continue;
    rows.push(row);
    if (rows.length >= perCommit) break;
  }
  return rows;
}

/** An invoice that is ready to be issued as far as can be known before the transaction. */
export interface PreparedIssue extends Omit<Unnumbered, 'row'> {
  readonly id: string;
  /** Of the content that the roots are of. */
  readonly contentHash: string;
  /** Orders the numbers of a batch. */
  readonly date: Instant;
}

/**
 * What needs the warehouse, and takes its time. Left out are those of which the warehouse does not have exactly the events that they bill: they wait
 * until it has.
 */
export async function prepareIssue(
  stores: InvoicingStores,
  rows: readonly InvoiceRow[],
): Promise<PreparedIssue[]> {
  const [{ namespace } = { namespace: '' }] = rows;
  const invoices = await inSnapshot(stores.database, (snapshot) =>
    Promise.all(rows.map((row) => readUnissued(snapshot, row))),
  );
  return prepareAll(stores, namespace, invoices);
}

/** The same of invoices that were just written: what they say need not be read again. */
export const prepareCollected = (
  stores: InvoicingStores,
  namespace: string,
  invoices: readonly CollectedInvoice[],
): Promise<PreparedIssue[]> =>
  prepareAll(
    stores,
    namespace,
    invoices.map(({ id, inputs, content, stored }) => ({
      ...{ id, content, usage: inputs.usage },
      ...{ contentHash: stored.contentHash, date: inputs.date },
    })),
  );

interface UnissuedInvoice extends ProvableInvoice, Pick<PreparedIssue, 'id' | 'contentHash' | 'date'> {
  readonly content: InvoiceContent;
}

async function readUnissued(from: Reads, row: InvoiceRow): Promise<UnissuedInvoice> {
  const { id, contentHash, date } = row;
  const content = await readContent(from, row);
  const isOfUsage = content.lines.some((line) => line.usage !== null);
  const usage = isOfUsage ? (await readInputs(from, row)).inputs.usage : null;
  return { id, contentHash, date, content, usage };
}

async function prepareAll(
  stores: InvoicingStores,
  namespace: string,
  invoices: readonly UnissuedInvoice[],
): Promise<PreparedIssue[]> {
  const roots = await merkleRootsOf(stores, namespace, invoices);
  return invoices.flatMap(({ id, contentHash, date, content }, place) => {
    const merkleRoots = roots[place];
    if (merkleRoots === undefined) return [];
    return [{ id, contentHash, date, merkleRoots, netTermDays: netTermDaysOf(content) }];
  });
}

export interface IssuedPrepared {
  /** How many of them are issued then, by this call or by one whose answer was lost. */
  readonly issued: number;
  /** By this one. */
  readonly numbered: number;
}

/** Issues those of prepared invoices that still wait for it; what was issued, voided or thrown away meanwhile is passed over. */
export async function issuePrepared(
  tx: Transaction,
  namespace: string,
  prepared: readonly PreparedIssue[],
  now: Instant,
): Promise<IssuedPrepared> {
  const rows = await tx.read(
    invoice,
    prepared.map(({ id }) => [namespace, id]),
  );
  const waiting = prepared.flatMap((each, place) => {
    const row = rows[place];
    return row?.state === 'finalised' && row.contentHash === each.contentHash ? [{ ...each, row }] : [];
  });
  // Within a batch numbers rise with the moment that was due, whoever made the invoices in whatever order.
  waiting.sort((a, b) => a.date - b.date || (a.id < b.id ? -1 : 1));
  const { length } = await numberInvoices(tx, namespace, waiting, now);
  return { numbered: length, issued: length + rows.filter((row) => row?.state === 'issued').length };
}

/** Why one invoice cannot be issued now; one that was issued already can: nothing happens. */
export function checkIssuable(row: InvoiceRow): void {
  if (isParked(row))
    throw new InvoicingRuleError(
      'invoice_parked',
      `invoice ${row.id} is held: ${row.parkedFor.map(({ message }) => message).join(' ')} Release it, compute it again or void it`,
    );
  if (row.state === 'void')
    throw new InvoicingRuleError('invoice_state', `invoice ${row.id} is void, and cannot be issued`);
}

/**
 * Issues one invoice: a draft without anything that holds it is final from then on. Issued twice, it keeps its first number. `prepared` is what
 * `prepareIssue` made of it. Throws `InvoicingRuleError`: `invoice_not_found`, `invoice_parked`, `invoice_state`, `invoice_not_proved`.
 */
export async function issueInvoice(
  tx: Transaction,
  { namespace, id, now }: { readonly namespace: string; readonly id: string; readonly now: Instant },
  prepared: PreparedIssue | undefined,
): Promise<InvoiceRow> {
  const row = await requireInvoice(tx, { namespace, id });
  checkIssuable(row);
  if (row.state !== 'draft' && row.state !== 'finalised') return row;
  if (prepared === undefined)
    throw new InvoicingRuleError(
      'invoice_not_proved',
      `the warehouse does not have exactly the events that invoice ${id} bills: try again shortly, or void it to have it collected again`,
    );
  if (prepared.contentHash !== row.contentHash)
    throw new InvoicingRuleError('invoice_state', `invoice ${id} changed meanwhile: look at it again`);
  const [issued] = await numberInvoices(tx, namespace, [{ ...prepared, row }], now);
  if (issued === undefined) throw new Error(`invoice ${id} was not numbered`);
  return issued;
}
