import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GRACE_MICROS } from '#infra/invoicing/collect-invoices.ts';
import type { ApiClient } from './api-client.ts';
import type { BillingMonth } from './billing-month.ts';
import {
  listInvoices,
  readInvoice,
  readInvoicePdf,
  releaseInvoice,
  verifyInvoice,
  type InvoiceAnswer,
  type InvoiceHead,
  type InvoiceRunAnswer,
} from './invoice.ts';

/** What the demo knows is harmless: it sends messages of this kind itself. Whatever else holds an invoice goes on holding it. */
const RELEASED_FOR = 'open_dead_letters';
const POLL_MS = 50;
const PATIENCE_MS = 120_000;

/** An invoice of the run, as it is after it was issued. */
export interface Billed {
  readonly invoice: InvoiceAnswer;
  /** Computed once more from raw events it was equal. */
  readonly isVerified: boolean;
  /** Where its PDF lies; null while it has no number. */
  readonly file: string | null;
}

export interface BilledMonth {
  readonly invoices: readonly Billed[];
  /** Customers that the run could not bill. */
  readonly failures: InvoiceRunAnswer['failures'];
}

/** Where the PDFs of a run's invoices lie, below the directory of its data. */
export const invoicesDirectory = (directory: string): string => join(directory, 'invoices');

/**
 * Waits until the usage of the month may be billed, and has everybody billed by an invoice run, as a scheduler would. What it held for dead
 * letters is released and issued then. Every invoice is computed once more by the API, and its PDF saved.
 */
export async function billCustomers(
  client: ApiClient,
  { month, directory }: { readonly month: BillingMonth; readonly directory: string },
): Promise<BilledMonth> {
  await untilBillable(client, month);
  const { failures } = await runInvoices(client);
  for (const { id, state, parkedFor } of await listInvoices(client))
    if (state === 'draft' && parkedFor.every(({ code }) => code === RELEASED_FOR))
      await releaseInvoice(client, id);
  await mkdir(invoicesDirectory(directory), { recursive: true });
  const heads = await listInvoices(client);
  const invoices = await Promise.all(heads.map((head) => readBilled(client, head, directory)));
  return { invoices, failures };
}

/** Usage has to be complete beyond the end of the month and the grace. */
function untilBillable(client: ApiClient, { to }: BillingMonth): Promise<true> {
  const needed = Date.parse(to) + GRACE_MICROS / 1_000;
  return polled('usage is complete', async () => {
    const { body } = await client.send({ method: 'GET', path: '/v1/status' });
    const { completeThrough } = body as { readonly completeThrough: string | null };
    return completeThrough !== null && Date.parse(completeThrough) >= needed ? true : undefined;
  });
}

async function runInvoices(client: ApiClient): Promise<InvoiceRunAnswer> {
  const { body } = await client.send({ method: 'POST', path: '/v1/invoice-runs', body: {} });
  const { id } = body as InvoiceRunAnswer;
  return polled('the invoice run is done', async () => {
    const run = (await client.send({ method: 'GET', path: `/v1/invoice-runs/${id}` })).body;
    return (run as InvoiceRunAnswer).state === 'done' ? (run as InvoiceRunAnswer) : undefined;
  });
}

/** Asks until there is an answer. Throws when it takes too long. */
async function polled<Answer>(what: string, ask: () => Promise<Answer | undefined>): Promise<Answer> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > giveUpAt)
      throw new Error(`waited ${PATIENCE_MS / 1_000} s in vain until ${what}`);
    await sleep(POLL_MS);
  }
}

async function readBilled(client: ApiClient, { id }: InvoiceHead, directory: string): Promise<Billed> {
  const invoice = await readInvoice(client, id);
  const isVerified = await verifyInvoice(client, id);
  if (invoice.number === null) return { invoice, isVerified, file: null };
  // A number may have a slash from its prefix.
  const file = join(invoicesDirectory(directory), `${invoice.number.replaceAll('/', '-')}.pdf`);
  await writeFile(file, await readInvoicePdf(client, id));
  return { invoice, isVerified, file };
}
