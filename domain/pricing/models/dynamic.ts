import { Decimal, ONE } from '../../money/decimal.ts';
import type { DynamicPrice } from '../charge.ts';
import { checkOptional } from '../check-number.ts';
import { noBends, type ModelDefinition } from '../model.ts';

/** Each event brings its price as its value; all of them times a factor. Worked: 0.70, 0.55 and 2.20 with a factor of 1.1 are 3.795. */
export const dynamic: ModelDefinition<DynamicPrice> = {
  check: ({ multiplier }, pointer) => checkOptional(`${pointer}/multiplier`, multiplier),
  prepare: ({ multiplier }) => {
    const unitPrice = multiplier == null ? ONE : new Decimal(multiplier);
    return {
      model: 'dynamic',
      input: 'events',
      due: 'each',
      linear: true,
      bends: noBends,
      rate: ({ from, to }) => {
        const quantity = from.isZero() ? to : to.minus(from);
        const amount = quantity.times(unitPrice);
        return [{ kind: 'usage', label: 'value of events', tier: undefined, quantity, unitPrice, amount }];
      },
    };
  },
};
