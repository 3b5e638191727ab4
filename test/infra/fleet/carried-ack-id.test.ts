import { expect } from 'chai';
import fc from 'fast-check';
import { carriedAckId, readCarriedAckId } from '#infra/fleet/carried-ack-id.ts';

const HOLDER = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe('an acknowledgement id that is carried', () => {
  it('says whose message it is, the number it has there, and what the topic knows it by, whatever that looks like', () => {
    const carried = fc.record({ holder: HOLDER, ordinal: fc.maxSafeNat(), ackId: fc.string() });
    fc.assert(
      fc.property(carried, (given) => {
        expect(readCarriedAckId(carriedAckId(given))).to.deep.equal(given);
      }),
    );
  });

  it('is not what a topic gave: that is refused instead of being acknowledged as something else', () => {
    for (const text of ['', 'a1', 'h.1', '.1.a', 'h..a', 'h.-1.a', 'h.9007199254740993.a', 'h h.1.a'])
      expect(() => readCarriedAckId(text), text).to.throw(RangeError);
  });
});
