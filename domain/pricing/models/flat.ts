import { Decimal } from '../../money/decimal.ts';
import type { FlatPrice } from '../charge.ts';
import { checkNumber } from '../check-number.ts';
import { noBends, type ModelDefinition } from '../model.ts';

/** An amount that is due whatever is used; of seats, for each of them. Worked: 100 is 100 with no usage and with much; 5 seats are 500. */
export const flat: ModelDefinition<FlatPrice> = {
  check: ({ amount }, pointer) => checkNumber(`${pointer}/amount`, amount),
  prepare: ({ amount }) => {
    const fee = new Decimal(amount);
    return {
      model: 'flat',
      input: 'quantity',
      due: 'once',
      linear: true,
      bends: noBends,
      // Its stretch is one unit of the fee, or the seats.
      rate: ({ to }) => [
        { kind: 'fixed', label: 'fee', tier: undefined, quantity: to, unitPrice: fee, amount: to.times(fee) },
      ],
    };
  },
};
