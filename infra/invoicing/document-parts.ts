import type { Reads, Transaction } from '#infra/database/database.ts';
import type { Table } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';
import type { invoiceContent } from './tables.ts';

/** A part of a document: well below what any store takes as one value. */
const PART_LENGTH_MAX = 500_000;

type PartTable = Table<Row<typeof invoiceContent>>;

interface Place {
  readonly namespace: string;
  readonly invoice: string;
}

/** Writes a text in parts that together are the text. It must be new: documents never change. */
export function insertParts(tx: Transaction, table: PartTable, place: Place, text: string): void {
  for (const [part, piece] of piecesOf(text).entries()) tx.insert(table, { ...place, part, text: piece });
}

export async function readParts(
  from: Reads,
  table: PartTable,
  { namespace, invoice }: Place,
): Promise<string | undefined> {
  const pieces = await Array.fromAsync(
    from.scan(table, { prefix: [namespace, invoice] }),
    ({ text }) => text,
  );
  return pieces.length === 0 ? undefined : pieces.join('');
}

export async function deleteParts(
  tx: Transaction,
  table: PartTable,
  { namespace, invoice }: Place,
): Promise<void> {
  for await (const { part } of tx.scan(table, { prefix: [namespace, invoice] }))
    tx.delete(table, [namespace, invoice, part]);
}

/** Never between the halves of one character: each piece is text by itself. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = Math.min(at + PART_LENGTH_MAX, text.length);
    const cut = end < text.length && isLeadSurrogate(text.charCodeAt(end - 1)) ? end - 1 : end;
    pieces.push(text.slice(at, cut));
    at = cut;
  }
  return pieces;
}

const isLeadSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
