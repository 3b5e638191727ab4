import { canonicalText, hashOfText } from './canonical-text.ts';
import type { InvoiceInputs } from './invoice-inputs.ts';
import type { InvoiceContent } from './invoice.ts';
import { orderInputs } from './order-inputs.ts';

/** Inputs as they are stored: reading this text with `JSON.parse` gives inputs that make the same invoice. */
export const inputsText = (inputs: InvoiceInputs): string => canonicalText(orderInputs(inputs));

/** What tells whether stored inputs are those that an invoice was made of, in whatever order they were read. SHA-256 in hex. */
export const inputsHash = (inputs: InvoiceInputs): string => hashOfText(inputsText(inputs));

export const contentText = (content: InvoiceContent): string => canonicalText(content);

/** What an issued document is known by: nothing on it can change without it. SHA-256 in hex. */
export const contentHash = (content: InvoiceContent): string => hashOfText(contentText(content));
