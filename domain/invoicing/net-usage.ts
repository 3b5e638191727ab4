import { toDecimalText } from '../money/decimal.ts';
import { groupKey } from '../pricing/groups.ts';
import { billedStages, byPeriod, byTaxes, sumOfBilled } from './billed-lines.ts';
import type { DueLine } from './due-line.ts';
import type { BilledLine } from './invoice-inputs.ts';
import { sumOfDue } from './due-line.ts';

/**
 * What is due for usage, or for the bound of a plan, less what is billed of it: all its lines, and for each stretch of time that was billed a line
 * that takes that off. Nothing where invoices say the same already.
 * Worked: 300 due for March, of which 100 were billed up to the 10th, are a line of 300 and one of -100.
 */
export function netUsage(due: readonly DueLine[], billed: readonly BilledLine[]): DueLine[] {
  if (billed.length === 0) return [...due];
  if (sumOfDue(due).eq(sumOfBilled(billed)) && saysTheSame(due, latest(billed))) return [];
  return [...due, ...takenOff(billed, 'billedBefore')];
}

/** All that is billed of an item that is due nothing any more. */
export const giveBack = (billed: readonly BilledLine[]): DueLine[] => takenOff(billed, 'unused');

/** Taken off by the time that it was for, so that what remains for any time is what is due for it. */
function takenOff(billed: readonly BilledLine[], kind: keyof typeof NOTES): DueLine[] {
  const name = nameOf(billed);
  return byPeriod(billed).flatMap((lines) =>
    byTaxes(lines)
      .filter(({ amount }) => !amount.isZero())
      .map(({ lines: alike, amount, taxRates }) => ({
        ...placeOf(alike),
        kind,
        description: `${name}, ${NOTES[kind]}`,
        quantity: null,
        unitPrice: null,
        amount: amount.neg(),
        taxRates,
        working: billedStages(alike),
        usage: null,
      })),
  );
}

/** What lines of one time are of: the first of them says it. */
function placeOf(lines: readonly BilledLine[]): Pick<DueLine, 'charge' | 'plan' | 'planVersion' | 'period'> {
  const { charge = null, plan = null, planVersion = null, period = { from: 0, to: 0 } } = lines[0] ?? {};
  return { charge, plan, planVersion, period };
}

export const NOTES = { billedBefore: 'billed before', unused: 'unused' } as const;

/** How lines of an item are called: as what was sold, without the note of what was taken off. */
export function nameOf(billed: readonly BilledLine[]): string {
  const description = (billed.find(isSold) ?? billed[0])?.description ?? '';
  const note = Object.values(NOTES).find((each) => description.endsWith(`, ${each}`));
  return note === undefined ? description : description.slice(0, -`, ${note}`.length);
}

/** Whether a line is of what was sold, not of what was taken off. */
export const isSold = ({ kind }: Pick<BilledLine, 'kind'>): boolean => !Object.hasOwn(NOTES, kind);

/** The lines that the last invoice has of an item: all of what was due for it then. */
export function latest(billed: readonly BilledLine[]): readonly BilledLine[] {
  const lines = billed.filter(isSold);
  const last = lines.at(-1)?.invoice;
  return lines.filter(({ invoice }) => invoice === last);
}

/** Taxes are left out: another rate alone makes no invoice of what was billed. */
function saysTheSame(due: readonly DueLine[], billed: readonly BilledLine[]): boolean {
  const said = billed.map((line) => saidBy(line, line.amount));
  return (
    due.length === said.length &&
    due.every((line, index) => saidBy(line, toDecimalText(line.amount)) === said[index])
  );
}

type Said = Pick<
  DueLine,
  | 'kind'
  | 'charge'
  | 'plan'
  | 'planVersion'
  | 'description'
  | 'period'
  | 'dimensions'
  | 'quantity'
  | 'unitPrice'
>;

const saidBy = (line: Said, amount: string): string =>
  JSON.stringify([
    line.kind,
    line.charge,
    line.plan,
    line.planVersion,
    line.description,
    line.period.from,
    line.period.to,
    line.dimensions ? groupKey(line.dimensions) : null,
    line.quantity,
    line.unitPrice,
    amount,
  ]);
