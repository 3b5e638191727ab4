import { expect } from 'chai';
import fc from 'fast-check';
import {
  addFingerprint,
  emptyFingerprint,
  fingerprintOf,
  fingerprintToHash,
  isZeroFingerprint,
  negateFingerprint,
  type Fingerprint,
} from '#domain/metering/fingerprint.ts';
import { fromHex, toHex } from '#domain/metering/hash128.ts';

const MODULUS = 1n << 128n;
const ofBigInt = (value: bigint): Fingerprint => fingerprintOf(fromHex(value.toString(16).padStart(32, '0')));
const toBigInt = (fingerprint: Fingerprint): bigint => BigInt(`0x${toHex(fingerprintToHash(fingerprint))}`);

/** Limbs of ones and zeros are where a carry may be lost. */
const limbs = fc.constantFrom(0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_fffen, 0xffff_ffffn);
const values = fc.oneof(
  fc.bigInt({ min: 0n, max: MODULUS - 1n }),
  fc
    .tuple(limbs, limbs, limbs, limbs)
    .map((parts) => parts.reduce<bigint>((value, limb) => (value << 32n) | limb, 0n)),
);

const sum = (of: readonly bigint[]): Fingerprint => {
  const total = emptyFingerprint();
  for (const value of of) addFingerprint(total, ofBigInt(value));
  return total;
};

describe('fingerprint algebra', () => {
  it('adds as whole numbers modulo 2^128', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 20 }), (of) => {
        expect(toBigInt(sum(of))).to.equal(of.reduce((a, b) => a + b, 0n) % MODULUS);
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes back what was added, in any order', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const rest = sum([a, b]);
        addFingerprint(rest, negateFingerprint(ofBigInt(a)));
        expect(toBigInt(rest)).to.equal(b);
        addFingerprint(rest, negateFingerprint(ofBigInt(b)));
        expect(isZeroFingerprint(rest)).to.equal(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps every bit through its sixteen bytes and its hex', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(toBigInt(ofBigInt(value))).to.equal(value);
      }),
    );
  });

  it('gives the sum that the contract states for its three example digests', () => {
    const digests = [
      '6a6e7b0e1abd337f1524c26308cafb1e',
      'bc9a6dd94d7e76a69b639bbc7d3fc0dc',
      '71190f15a7080902e1d153ad28448130',
    ];
    const total = sum(digests.map((hex) => BigInt(`0x${hex}`)));
    expect(toHex(fingerprintToHash(total))).to.equal('9821f7fd0f43b3289259b1ccae4f3d2a');
  });
});
