import { Decimal } from '../../money/decimal.ts';
import type { PerUnitPrice } from '../charge.ts';
import { checkNumber } from '../check-number.ts';
import { noBends, type ModelDefinition } from '../model.ts';

/** Each unit costs the same. Worked: 333 at 0.001 are 0.333. */
export const perUnit: ModelDefinition<PerUnitPrice> = {
  check: ({ unitPrice }, pointer) => checkNumber(`${pointer}/unitPrice`, unitPrice),
  prepare: (price) => {
    const unitPrice = new Decimal(price.unitPrice);
    return {
      model: 'perUnit',
      input: 'quantity',
      due: 'each',
      linear: true,
      bends: noBends,
      rate: ({ from, to }) => {
        const quantity = from.isZero() ? to : to.minus(from);
        const amount = quantity.times(unitPrice);
        return [{ kind: 'usage', label: 'units', tier: undefined, quantity, unitPrice, amount }];
      },
    };
  },
};
