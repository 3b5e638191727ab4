import { Decimal, ZERO } from '../money/decimal.ts';
import { round } from '../money/rounding.ts';
import { groupKey } from '../pricing/groups.ts';
import type { RatedCharge } from '../pricing/rate-charge.ts';
import type { RatedLine } from '../pricing/settle.ts';
import type { Dimensions } from '../pricing/usage.ts';
import type { WorkingStage } from '../pricing/working.ts';

/** A line with what it alone was computed from. */
export interface WorkedLine extends RatedLine {
  readonly working: readonly WorkingStage[];
}

/**
 * Gives each line of a rated charge its own part of the working. A line of usage or of a fee has the stages of its group: how units were
 * counted, and their price. A line of a discount, maximum or minimum has all stages up to its own, since it is the difference that one makes to
 * what those before it came to.
 */
export function workedLines({ lines, working }: RatedCharge, decimals: number): WorkedLine[] {
  const priced = Map.groupBy(working.filter(isOfGroup), ({ group }) => keyOf(group));
  const ends = adjustmentEnds(working, decimals).values();
  return lines.map((line) =>
    line.kind === 'usage' || line.kind === 'fixed'
      ? { ...line, working: priced.get(keyOf(line.dimensions)) ?? [] }
      : { ...line, working: working.slice(0, ends.next().value) },
  );
}

const keyOf = (dimensions: Dimensions | undefined): string => (dimensions ? groupKey(dimensions) : '');

type GroupStage = Extract<WorkingStage, { readonly stage: 'quantity' | 'price' }>;

const isOfGroup = (stage: WorkingStage): stage is GroupStage =>
  stage.stage === 'quantity' || stage.stage === 'price';

/** After which stages lines were made, in their order: those that moved the rounded amount. */
function adjustmentEnds(working: readonly WorkingStage[], decimals: number): number[] {
  const ends: number[] = [];
  let reached = ZERO;
  working.forEach((stage, index) => {
    const after = roundedAfter(stage, reached, decimals);
    if (!isOfGroup(stage) && !after.eq(reached)) ends.push(index + 1);
    reached = after;
  });
  return ends;
}

/** What the lines come to after a stage. */
function roundedAfter(stage: WorkingStage, reached: Decimal, decimals: number): Decimal {
  switch (stage.stage) {
    case 'price':
      return reached.plus(stage.rounded ?? stage.amount);
    case 'percentDiscount':
    case 'fixedDiscount':
    case 'maximum':
      return round(new Decimal(stage.amount), decimals);
    case 'minimum':
      return reached.plus(stage.trueUp);
    case 'quantity':
    case 'rounding':
    case 'billedBefore':
    case 'notDue':
      return reached;
  }
}
