import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import { hashOfText } from '#domain/invoicing/canonical-text.ts';
import {
  compareContents,
  differences,
  type Difference,
  type LineComparison,
} from '#domain/invoicing/compare-contents.ts';
import { contentHash } from '#domain/invoicing/invoice-hash.ts';
import type { InvoiceInputs } from '#domain/invoicing/invoice-inputs.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { readInputs, readInvoice } from '../read-invoices.ts';
import type { InvoiceRow } from '../tables.ts';
import { questionOfLine, readAllMeterVersions, type MeterVersions } from './line-question.ts';
import { createProver, type Prover } from './prove-lines.ts';
import { recomputeInputs } from './recompute-inputs.ts';

export interface VerifyInvoice {
  readonly namespace: string;
  readonly id: string;
  readonly signal?: AbortSignal | undefined;
}

export interface VerifiedLine extends LineComparison {
  readonly equal: boolean;
}

export interface Verification {
  readonly invoice: string;
  /** Nothing differs anywhere. */
  readonly equal: boolean;
  /** Of the invoice as a whole: its hashes, its total, and lines that it would have to have. */
  readonly differences: readonly Difference[];
  readonly lines: readonly VerifiedLine[];
}

interface Stores {
  readonly database: Database;
  readonly warehouse: Pick<Warehouse, 'query'>;
}

/**
 * Computes an invoice once more: usage, fingerprints and Merkle roots from the raw events in the warehouse, amounts and taxes from those and from the stored
 * inputs, and the hashes of what is stored; and says what differs from what it says. Nothing is changed. What came or was voided after it was
 * collected is no difference: that is late usage. Throws `InvoicingRuleError` `invoice_not_found`, and what the stores throw.
 */
export async function verifyInvoice(
  { database, warehouse }: Stores,
  { namespace, id, signal }: VerifyInvoice,
): Promise<Verification> {
  const stored = await inSnapshot(database, (snapshot) => readStored(snapshot, namespace, id));
  const { row, content, inputs, meters } = stored;
  const provers = proversOf(stored);
  const recomputed = await recomputeInputs(warehouse, {
    namespace,
    inputs,
    meters,
    alongside: [...provers.values()],
    signal,
  });
  const compared = compareContents(content, buildInvoice(recomputed));
  const lines = compared.lines.map((line): VerifiedLine => {
    const all = [...line.differences, ...rootDifference(row, line.line, provers.get(line.line))];
    return { line: line.line, equal: all.length === 0, differences: all };
  });
  const ofInvoice = [...hashDifferences(stored), ...compared.differences];
  return {
    invoice: id,
    equal: ofInvoice.length === 0 && lines.every(({ equal }) => equal),
    differences: ofInvoice,
    lines,
  };
}

interface Stored {
  readonly row: InvoiceRow;
  readonly content: InvoiceContent;
  readonly inputs: InvoiceInputs;
  readonly inputsText: string;
  readonly meters: MeterVersions;
}

async function readStored(snapshot: Reads, namespace: string, id: string): Promise<Stored> {
  const { row, content } = await readInvoice(snapshot, { namespace, id });
  const { inputs, text } = await readInputs(snapshot, { namespace, id });
  const meters = await readAllMeterVersions(snapshot, namespace);
  return { row, content, inputs, inputsText: text, meters };
}

/** By the ids of the lines that have events behind them. */
function proversOf({ content, inputs, meters }: Stored): Map<string, Prover> {
  return new Map(
    content.lines.flatMap((line) => {
      const question = questionOfLine(inputs.usage, meters, line);
      return question ? [[line.id, createProver(question)] as const] : [];
    }),
  );
}

const hashDifferences = ({ row, content, inputsText }: Stored): Difference[] =>
  differences([
    ['contentHash', row.contentHash, contentHash(content)],
    ['inputsHash', row.inputsHash, hashOfText(inputsText)],
  ]);

/** An invoice that was not issued yet has no roots. */
function rootDifference(
  { number, merkleRoots }: InvoiceRow,
  line: string,
  prover: Prover | undefined,
): Difference[] {
  if (number === null) return [];
  return differences([['merkleRoot', merkleRoots[line] ?? null, prover?.proof().merkleRoot ?? null]]);
}
