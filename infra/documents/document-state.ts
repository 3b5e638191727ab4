import type { InvoiceDocument } from '#domain/invoicing/invoice-document.ts';
import type { SheetOptions } from './sheet.ts';
import { MARK } from './style.ts';

/** How a document is called: by its number, or by what it is instead of a numbered one. */
export function titleOf({ id, number, state }: InvoiceDocument): string {
  if (number !== null) return number;
  if (id === null) return 'Preview';
  return state === 'finalised' ? 'Not yet numbered' : 'Draft';
}

/** What is printed across every page of something that is not to be paid; null where it is an invoice like any other. */
export function markOf({ id, state }: InvoiceDocument): SheetOptions['mark'] {
  if (id === null) return { text: 'PREVIEW', colour: MARK.pending };
  if (state === 'void') return { text: 'VOID', colour: MARK.void };
  return state === 'draft' ? { text: 'DRAFT', colour: MARK.pending } : null;
}

/** The same in words, beside the title. */
export function stateText({ id, state }: InvoiceDocument): string | null {
  if (id === null) return 'A preview: nothing is due by it';
  switch (state) {
    case 'void':
      return 'Void: nothing is due by it';
    case 'draft':
      return 'A draft: it may still change';
    case 'paid':
      return 'Paid';
    case 'finalised':
    case 'issued':
    case 'uncollectible':
      return null;
  }
}
