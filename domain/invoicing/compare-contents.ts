import { groupKey } from '../pricing/groups.ts';
import type { InvoiceContent, InvoiceLine } from './invoice.ts';

/** What differs: as it is stored, and as it was computed again. Null where one of the two has nothing of it. */
export interface Difference {
  readonly what: DifferentPart;
  readonly stored: string | null;
  readonly recomputed: string | null;
}

/**
 * Of a line: `line`, where it is there only once; its numbers; `fingerprint` and `merkleRoot`, the events behind it. Of an invoice: its hashes,
 * `total`, and `line` for one that would have to be there.
 */
export const DIFFERENT_PARTS = [
  'contentHash',
  'inputsHash',
  'total',
  'line',
  'quantity',
  'unitPrice',
  'amount',
  'tax',
  'fingerprint',
  'merkleRoot',
] as const;
export type DifferentPart = (typeof DIFFERENT_PARTS)[number];

export interface LineComparison {
  /** The id of the stored line. */
  readonly line: string;
  readonly differences: readonly Difference[];
}

export interface ContentComparison {
  /** One for each stored line, in their order. */
  readonly lines: readonly LineComparison[];
  /** What is of no stored line. */
  readonly differences: readonly Difference[];
}

/** Compares what an invoice says with what it would have to say. Lines are told by what they are of, since one more line moves the ids of those after it. */
export function compareContents(stored: InvoiceContent, recomputed: InvoiceContent): ContentComparison {
  const left = Map.groupBy(recomputed.lines, nameOf);
  const lines = stored.lines.map((line): LineComparison => {
    const found = left.get(nameOf(line))?.shift();
    return { line: line.id, differences: compareLines(line, found) };
  });
  const missing = [...left.values()].flat().map((line): Difference => {
    const recomputedLine = `${line.description}: ${line.amount}`;
    return { what: 'line', stored: null, recomputed: recomputedLine };
  });
  const totals = differences([['total', stored.totals.total, recomputed.totals.total]]);
  return { lines, differences: [...missing, ...totals] };
}

/** What a line is of, whatever it comes to. Lines that share it are told apart by their order. */
const nameOf = (line: InvoiceLine): string =>
  JSON.stringify([
    line.kind,
    line.subscription,
    line.item,
    line.charge,
    line.plan,
    line.planVersion,
    line.period.from,
    line.period.to,
    line.dimensions ? groupKey(line.dimensions) : null,
  ]);

function compareLines(stored: InvoiceLine, found: InvoiceLine | undefined): Difference[] {
  if (found === undefined)
    return [{ what: 'line', stored: `${stored.description}: ${stored.amount}`, recomputed: null }];
  return differences([
    ['quantity', stored.quantity, found.quantity],
    ['unitPrice', stored.unitPrice, found.unitPrice],
    ['amount', stored.amount, found.amount],
    ['tax', taxText(stored), taxText(found)],
    ['fingerprint', stored.usage?.fingerprint ?? null, found.usage?.fingerprint ?? null],
  ]);
}

/** Each tax with its rate and amount, in their order. */
const taxText = ({ taxes }: InvoiceLine): string | null =>
  taxes.length === 0
    ? null
    : taxes
        .map(({ code, jurisdiction, rate, amount }) => `${code} ${jurisdiction} ${rate}: ${amount}`)
        .join(', ');

export const differences = (
  pairs: readonly (readonly [DifferentPart, string | null, string | null])[],
): Difference[] =>
  pairs
    .filter(([, stored, recomputed]) => stored !== recomputed)
    .map(([what, stored, recomputed]) => ({ what, stored, recomputed }));
