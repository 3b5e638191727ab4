import { expect } from 'chai';
import type { WorkingStage } from '#domain/pricing/working.ts';
import { Decimal, ZERO, toDecimalText } from '#domain/money/decimal.ts';
import { round } from '#domain/money/rounding.ts';

interface WorkedText {
  readonly id: string;
  readonly kind: string;
  readonly amount: string;
  readonly working: readonly WorkingStage[];
}

/** Computes a line's amount again from its working alone, and compares. */
export function expectRecomputable(line: WorkedText, decimals: number): void {
  const steps = line.working.map((stage) => [stage, afterStage(stage, decimals)] as const);
  let [before, after] = [ZERO, ZERO];
  for (const [, step] of steps) {
    before = after;
    after = step(after);
  }
  const isPriced = line.kind === 'usage' || line.kind === 'fixed';
  const amount = isPriced ? after : after.minus(before);
  expect(toDecimalText(amount), line.id).to.equal(line.amount);
}

function afterStage(stage: WorkingStage, decimals: number): (reached: Decimal) => Decimal {
  switch (stage.stage) {
    case 'price':
      return (reached) => reached.plus(round(priceOf(stage), decimals));
    case 'percentDiscount':
    case 'fixedDiscount':
    case 'maximum':
      return () => round(new Decimal(stage.amount), decimals);
    case 'minimum':
      return (reached) =>
        Decimal.max(reached, new Decimal(stage.minimum).minus(stage.billedBefore).toDecimalPlaces(decimals));
    case 'quantity':
    case 'rounding':
    case 'billedBefore':
    case 'notDue':
      return (reached) => reached;
  }
}

/** Units at their prices, and fees; of a part of a period its part. */
function priceOf(stage: Extract<WorkingStage, { stage: 'price' }>): Decimal {
  const [part, whole] = (stage.fraction ?? '1/1').split('/').map((text) => new Decimal(text));
  const share = (part ?? ZERO).div(whole ?? ZERO);
  let total = ZERO;
  for (const { quantity, unitPrice, amount } of stage.parts) {
    const own =
      unitPrice === null ? new Decimal(amount) : new Decimal(quantity).times(unitPrice).times(share);
    expect(own.minus(amount).abs().lt('1e-40'), `${amount} is ${quantity} at ${unitPrice}`).to.equal(true);
    total = total.plus(amount);
  }
  expect(toDecimalText(total)).to.equal(stage.amount);
  return total;
}
