import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { withoutWrites } from '#infra/database/without-writes.ts';
import { applyInvoices } from './apply-invoices.ts';
import { discardDraft, requireInvoice, type ChangeInvoice } from './change-invoice.ts';
import { collectInvoices, type InvoicingStores } from './collect-invoices.ts';
import { InvoicingRuleError } from './errors.ts';
import { payerOf } from './read-payers.ts';
import { invoice, type InvoiceRow, type PayerFailure } from './tables.ts';
import { untilKnown } from '#infra/database/until-known.ts';

/**
 * Throws a draft away and bills again what was due of its payer by its date, as everything stands now. If it ends in between, the next run bills
 * what is due. Throws `InvoicingRuleError`: `invoice_not_found`; `invoice_state` for what is no draft, or was written by hand; `invalid_invoice` where
 * it cannot be billed now: the draft is gone, and the next run bills it once it can be.
 */
export async function recomputeInvoice(
  stores: InvoicingStores,
  change: ChangeInvoice,
): Promise<readonly InvoiceRow[]> {
  const { namespace, now } = change;
  const { customer, date } = await requireInvoice(stores.database, change);
  // It may have got a parent since, who pays from now on.
  const payer = await payerOf(stores.database, namespace, customer);
  await untilKnown(() => stores.database.transact((tx) => discardAgain(tx, change)));
  const made: string[] = [];
  for (;;) {
    const { invoices, failures } = await collectInvoices(stores, {
      namespace,
      payers: [payer?.key ?? customer],
      asOf: date,
      now,
    });
    refuseFailure(failures);
    made.push(...invoices.map((each) => each.id));
    const { result } = await untilKnown(() =>
      stores.database.transact((tx) => applyInvoices(tx, { namespace, invoices, now })),
    );
    if (result.stale.length === 0) break;
  }
  // Read, since the answer of the commit that wrote them may have been lost.
  const rows = await stores.database.read(
    invoice,
    made.map((each) => [namespace, each]),
  );
  return rows.filter((row) => row !== undefined);
}

/** What `recomputeInvoice` would make, as far as one pass goes; nothing is written. Throws what it throws. */
export async function previewRecompute(
  stores: InvoicingStores,
  change: ChangeInvoice,
): Promise<readonly InvoiceRow[]> {
  const { namespace, id, now } = change;
  const { customer, date } = await inSnapshot(stores.database, (snapshot) =>
    discardDraft(withoutWrites(snapshot), change),
  );
  const payer = await payerOf(stores.database, namespace, customer);
  for (;;) {
    const { invoices, failures } = await collectInvoices(stores, {
      namespace,
      payers: [payer?.key ?? customer],
      asOf: date,
      now,
      without: id,
    });
    refuseFailure(failures);
    const { written, stale } = await inSnapshot(stores.database, (snapshot) =>
      applyInvoices(withoutWrites(snapshot), { namespace, invoices, now }),
    );
    if (stale.length === 0) return written;
  }
}

function refuseFailure([failure]: readonly PayerFailure[]): void {
  if (failure === undefined) return;
  const { code, message } = failure;
  throw new InvoicingRuleError('invalid_invoice', message, [{ pointer: '', code, message }]);
}

/** After a lost answer the draft may be gone already. */
async function discardAgain(...[tx, change]: Parameters<typeof discardDraft>): Promise<void> {
  try {
    await discardDraft(tx, change);
  } catch (error) {
    if (!(error instanceof InvoicingRuleError) || error.code !== 'invoice_not_found') throw error;
  }
}
