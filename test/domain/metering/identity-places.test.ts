import { hash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { createIdentityPlaces } from '#domain/metering/identity-places.ts';

const identity = (of: number): string => hash('sha256', String(of), 'binary').slice(0, 16);

describe('the places of identities', () => {
  it('do what a map would do, though identities share their tags and homes', () => {
    // Few different characters at the beginning and the end, where the home and the tag come from.
    const colliding = fc
      .tuple(fc.nat(2), fc.nat(40), fc.nat(1))
      .map(([first, middle, last]) =>
        String.fromCharCode(first).padEnd(8, String(middle)).padEnd(16, String(last)),
      );
    fc.assert(
      fc.property(fc.array(colliding, { maxLength: 300 }), (identities) => {
        const places = createIdentityPlaces(identities.length);
        const expected = new Map<string, number>();
        for (const each of identities) {
          if (!expected.has(each)) expected.set(each, expected.size);
          expect(places.placeOf(each)).to.equal(expected.get(each));
        }
        expect(places.size).to.equal(expected.size);
      }),
    );
  });

  it('find each of many identities again', () => {
    const count = 8_000;
    const places = createIdentityPlaces(count);
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < count; i++) expect(places.placeOf(identity(i))).to.equal(i);
    expect(places.size).to.equal(count);
  });

  it('refuse more identities than there is room for, and none that they know', () => {
    const places = createIdentityPlaces(1);
    expect(places.placeOf(identity(1))).to.equal(0);
    expect(places.placeOf(identity(1))).to.equal(0);
    expect(() => places.placeOf(identity(2))).to.throw(RangeError);
  });
});
