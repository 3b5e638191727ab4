import { expect } from 'chai';
import { evaluatePrice } from '#domain/pricing/evaluate-price.ts';
import { DEVIATIONS, evaluationsOf, expectPrices, pricingVectors } from '#test/vectors/pricing.ts';

describe("the calculator of prices agrees with other systems' tests", () => {
  for (const vector of pricingVectors) {
    const deviation = DEVIATIONS[vector.id];
    const title = `${vector.id} ${vector.source}`;
    it(deviation ? `${title}; it deviates: ${deviation.reason}` : title, () => {
      expectPrices(vector, evaluationsOf(vector).map(evaluatePrice));
    });
  }

  it('or lists where it does not, by name', () => {
    const known = new Set(pricingVectors.map(({ id }) => id));
    expect(Object.keys(DEVIATIONS).filter((id) => !known.has(id))).to.deep.equal([]);
  });
});
