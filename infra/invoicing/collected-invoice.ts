import type { Instant } from '#domain/instant.ts';
import type { BilledItem } from '#domain/invoicing/due-items.ts';
import { hashOfText } from '#domain/invoicing/canonical-text.ts';
import { contentText, inputsText } from '#domain/invoicing/invoice-hash.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import type { InvoiceInputs } from '#domain/invoicing/invoice-inputs.ts';
import type { ParkReason } from './tables.ts';

/** What an invoice would be: from what, what it says, and why it should be looked at before it goes out. */
export interface InvoicePreview {
  readonly inputs: InvoiceInputs;
  readonly content: InvoiceContent;
  readonly parkedFor: readonly ParkReason[];
}

/** An invoice that is ready to be written, with what it changes for its subscriptions. */
export interface CollectedInvoice extends InvoicePreview {
  readonly id: string;
  readonly stored: StoredTexts;
  readonly billing: readonly SubscriptionEffect[];
}

/** Inputs and content as they are stored and hashed. */
export interface StoredTexts {
  readonly inputs: string;
  readonly inputsHash: string;
  readonly content: string;
  readonly contentHash: string;
}

export function storedTexts({ inputs, content }: Pick<InvoicePreview, 'inputs' | 'content'>): StoredTexts {
  const texts = { inputs: inputsText(inputs), content: contentText(content) };
  return { ...texts, inputsHash: hashOfText(texts.inputs), contentHash: hashOfText(texts.content) };
}

/** What of a subscription is billed once an invoice is written. */
export interface SubscriptionEffect {
  readonly subscription: string;
  /** As it was read; 0 where nothing was ever billed. */
  readonly revision: number;
  readonly settledThrough: Instant | null;
  readonly termsHash: string;
  /** The items that the invoice has lines of, whole. */
  readonly items: readonly BilledItem[];
}
