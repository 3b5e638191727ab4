import type { InvoiceInputs } from '#domain/invoicing/invoice-inputs.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import type { InvoicingStores } from './collect-invoices.ts';
import { questionOfLine, readAllMeterVersions, type LineQuestion } from './proof/line-question.ts';
import { proveLines, type LineProof } from './proof/prove-lines.ts';

/** What an invoice says, and whose usage of when that is; null where none of it is of usage. */
export interface ProvableInvoice {
  readonly content: Pick<InvoiceContent, 'lines'>;
  readonly usage: InvoiceInputs['usage'];
}

/** A line with events behind it, and how to find them. */
interface AskedLine {
  readonly id: string;
  readonly fingerprint: string;
  readonly question: LineQuestion;
}

/** By the id of a line, in hex. */
export type MerkleRoots = Readonly<Record<string, string>>;

/**
 * The Merkle roots of each invoice's lines, in the order of the invoices, from the events in the warehouse. Undefined where those are not exactly
 * the events that were billed, such as while some are still to be appended: such an invoice must not be issued. Throws what the stores throw.
 */
export async function merkleRootsOf(
  { database, warehouse }: InvoicingStores,
  namespace: string,
  invoices: readonly ProvableInvoice[],
): Promise<(MerkleRoots | undefined)[]> {
  // A published version never changes, so none is too new.
  const meters = await readAllMeterVersions(database, namespace);
  const asked = invoices.map(({ content, usage }): AskedLine[] =>
    content.lines.flatMap((line) => {
      const question = questionOfLine(usage, meters, line);
      return line.usage && question ? [{ id: line.id, fingerprint: line.usage.fingerprint, question }] : [];
    }),
  );
  const lines = asked.flat().map(({ question }) => question);
  const proofs = await proveLines(warehouse, { namespace, lines });
  let taken = 0;
  return asked.map((ofInvoice) => rootsOf(ofInvoice, proofs.slice(taken, (taken += ofInvoice.length))));
}

/** Of an invoice without usage there is nothing to prove. */
function rootsOf(lines: readonly AskedLine[], proofs: readonly LineProof[]): MerkleRoots | undefined {
  if (lines.some(({ fingerprint }, place) => proofs[place]?.fingerprint !== fingerprint)) return undefined;
  return Object.fromEntries(lines.map(({ id }, place) => [id, proofs[place]?.merkleRoot ?? '']));
}
