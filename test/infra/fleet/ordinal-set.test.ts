import { expect } from 'chai';
import fc from 'fast-check';
import { packOrdinals, unpackOrdinals } from '#infra/fleet/ordinal-set.ts';

describe('a set of ordinals', () => {
  it('is the same after a way through its bytes, in rising order and each once', () => {
    const ordinals = fc.array(fc.maxSafeNat());
    fc.assert(
      fc.property(ordinals, (given) => {
        const expected = [...new Set(given)].sort((a, b) => a - b);
        expect(unpackOrdinals(packOrdinals(given))).to.deep.equal(expected);
      }),
    );
  });

  it('takes a byte for each that follows the one before', () => {
    expect(packOrdinals(Array.from({ length: 1_000 }, (_, i) => 5 + i))).to.have.length(1_000);
  });

  it('is refused where its bytes are not what was made, and never read without an end', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          for (const ordinal of unpackOrdinals(bytes)) expect(Number.isSafeInteger(ordinal)).to.equal(true);
        } catch (error) {
          expect(error).to.be.instanceOf(RangeError);
        }
      }),
    );
    expect(() => unpackOrdinals(Uint8Array.of(200))).to.throw(RangeError, 'cut off');
    expect(() => packOrdinals([-1])).to.throw(RangeError);
    expect(() => packOrdinals([0.5])).to.throw(RangeError);
  });
});
