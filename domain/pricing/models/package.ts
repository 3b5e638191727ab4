import { Decimal } from '../../money/decimal.ts';
import type { PackagePrice } from '../charge.ts';
import { checkNumber } from '../check-number.ts';
import type { ModelDefinition } from '../model.ts';
import { beginBlocks } from './blocks.ts';

/** Units are sold in packages: each one begun is due in whole. Worked: size 10 at 15; 11 units are 2 packages, 30. */
export const packaged: ModelDefinition<PackagePrice> = {
  check: ({ size, price }, pointer) => [
    ...checkNumber(`${pointer}/size`, size, 'positive'),
    ...checkNumber(`${pointer}/price`, price),
  ],
  prepare: (price) => {
    const [size, unitPrice] = [new Decimal(price.size), new Decimal(price.price)];
    return {
      model: 'package',
      input: 'quantity',
      due: 'each',
      linear: false,
      bends: (upTo, max) => packageEnds(size, upTo, max),
      rate: ({ from, to }) => {
        const begun = beginBlocks(to, size);
        const quantity = from.isZero() ? begun : begun.minus(beginBlocks(from, size));
        const amount = quantity.times(unitPrice);
        return [{ kind: 'usage', label: 'packages', tier: undefined, quantity, unitPrice, amount }];
      },
    };
  },
};

function packageEnds(size: Decimal, upTo: Decimal, max: number): readonly Decimal[] {
  const ends: Decimal[] = [];
  for (let end = new Decimal(0); end.lte(upTo) && ends.length < max; end = end.plus(size)) ends.push(end);
  return ends;
}
