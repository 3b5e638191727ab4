import { expect } from 'chai';
import { backoffMs } from '#pipelines/runner/backoff.ts';

describe('the waits between tries of a store that fails', () => {
  it('double from a tenth of a second to five seconds, and stay there however long the store fails', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(backoffMs)).to.deep.equal([
      100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000,
    ]);
    expect(backoffMs(1_000_000)).to.equal(5_000);
  });
});
