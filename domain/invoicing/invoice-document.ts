import type { InvoiceContent, InvoiceState } from './invoice.ts';

/** An invoice as it is read, whatever it is then written as: what it says, and what became of it. */
export interface InvoiceDocument {
  /** Null: a preview, which is no invoice. */
  readonly id: string | null;
  readonly state: InvoiceState;
  /** Null until it is issued. */
  readonly number: string | null;
  /** Local dates of the seller, such as 2026-03-01; null until it is issued. */
  readonly issueDate: string | null;
  readonly dueDate: string | null;
  readonly content: InvoiceContent;
  /** By the id of a line, in hex; only of lines with events behind them, and none before it is issued. */
  readonly merkleRoots: Readonly<Record<string, string>>;
  /** SHA-256 in hex. */
  readonly contentHash: string;
  readonly inputsHash: string;
}
