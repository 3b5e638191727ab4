import type { ApiClient } from './api-client.ts';
import type { BillLine } from './bill.ts';

/** An invoice as the API answers it. Numbers are plain decimal text. */
export interface InvoiceAnswer {
  readonly id: string;
  /** Null until it is issued. */
  readonly number: string | null;
  readonly state: string;
  readonly customer: string;
  readonly currency: string;
  readonly servicePeriod: { readonly from: string; readonly to: string };
  /** Dates of the seller, such as 2026-03-01. */
  readonly issueDate: string | null;
  readonly dueDate: string | null;
  readonly lines: readonly BillLine[];
  readonly totals: InvoiceTotals;
  readonly taxes: readonly InvoiceTaxAnswer[];
  readonly sellerParty: { readonly name: string };
  readonly buyerParty: { readonly name: string };
  /** Why it waited for a decision, and was let pass. */
  readonly releasedFrom: readonly HoldReason[];
}

export interface InvoiceTotals {
  readonly net: string;
  readonly tax: string;
  readonly total: string;
}

export interface InvoiceTaxAnswer {
  readonly code: string;
  readonly jurisdiction: string;
  readonly rate: string;
  readonly exemption: string | null;
  readonly amount: string;
}

export interface HoldReason {
  readonly code: string;
  readonly message: string;
}

/** An invoice of a list: what became of it, without what it says. */
export interface InvoiceHead extends Pick<InvoiceAnswer, 'id' | 'state'> {
  readonly parkedFor: readonly HoldReason[];
}

export interface InvoiceRunAnswer {
  readonly id: string;
  readonly state: 'running' | 'done';
  readonly failures: readonly { readonly customer: string; readonly message: string }[];
}

const pathOf = (id: string, verb?: string): string =>
  `/v1/invoices/${id}${verb === undefined ? '' : `/${verb}`}`;

export const readInvoice = async (client: ApiClient, id: string): Promise<InvoiceAnswer> =>
  (await client.send({ method: 'GET', path: pathOf(id) })).body as InvoiceAnswer;

export const readInvoicePdf = (client: ApiClient, id: string): Promise<Uint8Array> =>
  client.download(pathOf(id), 'application/pdf');

/** Lets an invoice pass that is held, and gives it its number. */
export async function releaseInvoice(client: ApiClient, id: string): Promise<void> {
  for (const verb of ['release', 'issue']) await client.send({ method: 'POST', path: pathOf(id, verb) });
}

/** Whether an invoice comes to the same when it is computed once more from the raw events. */
export async function verifyInvoice(client: ApiClient, id: string): Promise<boolean> {
  const { body } = await client.send({ method: 'POST', path: pathOf(id, 'verify') });
  return (body as { readonly equal: boolean }).equal;
}

/** Every invoice there is, the oldest first. */
export async function listInvoices(client: ApiClient): Promise<InvoiceHead[]> {
  const heads: InvoiceHead[] = [];
  for (let query = ''; ;) {
    const { body } = await client.send({ method: 'GET', path: `/v1/invoices${query}` });
    const page = body as { readonly items: readonly InvoiceHead[]; readonly nextCursor: string | null };
    heads.push(...page.items);
    if (page.nextCursor === null) return heads.reverse();
    query = `?cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}
