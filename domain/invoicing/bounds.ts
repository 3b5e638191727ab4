import { add, greater, lesser, noMoney, subtract, type Money } from '../money/money.ts';

/**
 * What a maximum takes off each line, in their order: a line is charged as long as there is room. `before` is what the same period was
 * billed already. A line below 0 is left alone and makes room for those after it.
 * Worked: at most 100, with 35 billed before, takes 35 off a line of 100.
 */
export function overMaximum<C extends string>(
  maximum: Money<C>,
  lines: readonly Money<C>[],
  before: Money<C> = noMoney(maximum.currency),
): Money<C>[] {
  const nothing = noMoney(maximum.currency);
  let billed = before;
  return lines.map((amount) => {
    const room = greater(nothing, subtract(maximum, billed));
    const charged = lesser(amount, room);
    billed = add(billed, charged);
    return subtract(amount, charged);
  });
}

/**
 * What is missing to a minimum: the amount of a line of its own, nothing where enough was billed. `billed` counts what the same period was
 * billed before, too. Worked: a minimum of 1000 with 100 billed lacks 900.
 */
export const missingToMinimum = <C extends string>(minimum: Money<C>, billed: Money<NoInfer<C>>): Money<C> =>
  greater(noMoney(minimum.currency), subtract(minimum, billed));
