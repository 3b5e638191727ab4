import { expect } from 'chai';
import fc from 'fast-check';
import { BATCH_MESSAGES_MAX, BATCH_MESSAGES_MIN, createBatchSize } from '#pipelines/runner/batch-size.ts';

describe('the size of a micro-batch', () => {
  it('doubles while pulls come back full, up to the most', () => {
    const size = createBatchSize(3 * BATCH_MESSAGES_MIN);
    const sizes: number[] = [];
    for (let i = 0; i < 4; i++) {
      sizes.push(size.current / BATCH_MESSAGES_MIN);
      size.pulled(size.current);
    }
    expect(sizes).to.deep.equal([1, 2, 3, 3]);
  });

  it('halves when a pull comes back less than half full, and stays when it comes back half full', () => {
    const size = createBatchSize();
    for (let i = 0; i < 2; i++) size.pulled(size.current);
    size.pulled(1_000);
    expect(size.current).to.equal(2_000);
    size.pulled(999);
    expect(size.current).to.equal(1_000);
  });

  it('stays within its bounds whatever is pulled, also where the most is less than the usual least', () => {
    fc.assert(
      fc.property(fc.option(fc.integer({ min: 1, max: 20_000 })), fc.array(fc.nat(20_000)), (max, pulls) => {
        const most = max ?? BATCH_MESSAGES_MAX;
        const size = max === null ? createBatchSize() : createBatchSize(max);
        for (const pulled of pulls) {
          size.pulled(Math.min(pulled, size.current));
          expect(size.current).to.be.within(Math.min(BATCH_MESSAGES_MIN, most), most);
        }
      }),
    );
  });
});
