import { expect } from 'chai';
import fc from 'fast-check';
import { formatKeySecret, hashKeySecret, isKeySecret, shownPartOf } from '#domain/access/key-secret.ts';

const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(formatKeySecret);

describe('the secret of an API key', () => {
  it('is found by scanners, and is told from anything mistyped without a look-up', () => {
    fc.assert(
      fc.property(secrets, fc.nat(), fc.constantFrom(...'aZ09_-.'), (secret, at, other) => {
        expect(secret).to.match(/^mr_live_[A-Za-z0-9_-]{49}$/);
        expect(isKeySecret(secret)).to.equal(true);
        const place = at % secret.length;
        const mistyped = `${secret.slice(0, place)}${other}${secret.slice(place + 1)}`;
        expect(isKeySecret(mistyped)).to.equal(mistyped === secret);
        expect(isKeySecret(secret.slice(0, place))).to.equal(false);
      }),
    );
  });

  it('is stored as a hash, and shown by its first characters only', () => {
    const secret = formatKeySecret(new Uint8Array(32));
    expect(hashKeySecret(secret)).to.match(/^[0-9a-f]{64}$/);
    expect(shownPartOf(secret)).to.equal('mr_live_AAAA');
  });

  it('is made of 32 random bytes and of nothing else', () => {
    expect(() => formatKeySecret(new Uint8Array(31))).to.throw(RangeError);
  });
});
