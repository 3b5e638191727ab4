import { expect } from 'chai';
import fc from 'fast-check';
import { attributesOf, dataOf, decodeGroup, encodeGroup } from '#infra/topic/embedded/group-format.ts';

const message = fc.record({
  data: fc.uint8Array({ maxLength: 12 }),
  attributes: fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }), { maxKeys: 2 }),
});

describe('a group of messages', () => {
  it('gives back each message, whose bytes lie among those of its neighbours in their order', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 20 }), (messages) => {
        const group = decodeGroup(encodeGroup([messages], 1));
        expect(Buffer.from(group.data)).to.deep.equal(Buffer.concat(messages.map(({ data }) => data)));
        let at = group.data.byteOffset;
        messages.forEach(({ data, attributes }, index) => {
          const read = dataOf(group, index);
          expect(Uint8Array.from(read)).to.deep.equal(Uint8Array.from(data));
          expect({ ...attributesOf(group, index) }).to.deep.equal({ ...attributes });
          expect(read.buffer).to.equal(group.data.buffer);
          expect(read.byteOffset).to.equal(at);
          at += read.length;
        });
      }),
    );
  });
});
