import type { InvoiceStage } from '#domain/invoicing/invoice-stage.ts';
import type { InvoiceLineKind } from '#domain/invoicing/invoice.ts';
import type { ApiClient } from './api-client.ts';
import type { ChargesFile } from './charges-file.ts';

/** A bill as the API answers it. Numbers are plain decimal text. */
export interface BillAnswer {
  readonly customer: string;
  readonly currency: string;
  readonly period: { readonly from: string; readonly to: string };
  readonly lines: readonly BillLine[];
  readonly totals: { readonly total: string };
}

/** A line of a bill, or of an invoice. */
export interface BillLine {
  readonly id: string;
  readonly kind: InvoiceLineKind;
  /** Null on a line of no charge. */
  readonly charge: string | null;
  readonly description: string;
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly quantity: string | null;
  readonly unitPrice: string | null;
  readonly amount: string;
  readonly working: readonly InvoiceStage[];
}

export interface BillQuestion extends ChargesFile {
  readonly customer: string;
  readonly from: string;
  readonly to: string;
}

/** What does the customer's real usage come to with these charges? */
export async function evaluateBill(
  client: ApiClient,
  { customer, ...body }: BillQuestion,
): Promise<BillAnswer> {
  const path = `/v1/customers/${encodeURIComponent(customer)}/charges/evaluate`;
  return (await client.send({ method: 'POST', path, body })).body as BillAnswer;
}
