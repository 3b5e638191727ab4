import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalText, hashOfText } from '#domain/invoicing/canonical-text.ts';

describe('canonical text of plain data', () => {
  it('is without spaces, with members by name, and without those that are undefined', () => {
    expect(canonicalText({ b: [1, null, 'ü"'], a: { d: true, c: undefined } })).to.equal(
      '{"a":{"d":true},"b":[1,null,"ü\\""]}',
    );
  });

  it('is read back as what it was made of, and made of that is the same text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalText(value);
        const read: unknown = JSON.parse(text);
        expect(read).to.deep.equal(JSON.parse(JSON.stringify(value)));
        expect(canonicalText(read)).to.equal(text);
      }),
    );
  });

  it('is hashed as SHA-256 of its UTF-8', () => {
    expect(hashOfText('abc')).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
