import type { Hash128 } from './hash128.ts';

/**
 * The sum modulo 2^128 of the digests of a set of events, as four limbs of 32 bits, the highest first. Additive like the usage itself,
 * so it can be kept per cell and recomputed by SQL. It detects accidents; it is not a cryptographic proof. A limb is held as a signed
 * 32-bit integer, which the engine keeps in place where a larger number would be an object of its own.
 */
export interface Fingerprint {
  f0: number;
  f1: number;
  f2: number;
  f3: number;
}

const LIMB = 0x1_0000_0000;

export const emptyFingerprint = (): Fingerprint => ({ f0: 0, f1: 0, f2: 0, f3: 0 });

/** The 32 bits at characters `at` to `at + 3`. */
const limb = (hash: Hash128, at: number): number =>
  (hash.charCodeAt(at) << 24) |
  (hash.charCodeAt(at + 1) << 16) |
  (hash.charCodeAt(at + 2) << 8) |
  hash.charCodeAt(at + 3);

/** Reads sixteen bytes, highest first. */
export const fingerprintOf = (hash: Hash128): Fingerprint => ({
  f0: limb(hash, 0),
  f1: limb(hash, 4),
  f2: limb(hash, 8),
  f3: limb(hash, 12),
});

/** Adds `other` into `into`; the carry runs from the lowest limb up. */
export function addFingerprint(into: Fingerprint, other: Fingerprint): void {
  let sum = (into.f3 >>> 0) + (other.f3 >>> 0);
  into.f3 = sum | 0;
  sum = (into.f2 >>> 0) + (other.f2 >>> 0) + (sum >= LIMB ? 1 : 0);
  into.f2 = sum | 0;
  sum = (into.f1 >>> 0) + (other.f1 >>> 0) + (sum >= LIMB ? 1 : 0);
  into.f1 = sum | 0;
  into.f0 = (into.f0 + other.f0 + (sum >= LIMB ? 1 : 0)) | 0;
}

/** The fingerprint that takes `fingerprint` away when it is added: 2^128 - f. */
export function negateFingerprint(fingerprint: Fingerprint): Fingerprint {
  const negated = { f0: ~fingerprint.f0, f1: ~fingerprint.f1, f2: ~fingerprint.f2, f3: ~fingerprint.f3 };
  addFingerprint(negated, { f0: 0, f1: 0, f2: 0, f3: 1 });
  return negated;
}

export const isZeroFingerprint = (fingerprint: Fingerprint): boolean =>
  (fingerprint.f0 | fingerprint.f1 | fingerprint.f2 | fingerprint.f3) === 0;

const limbChars = (value: number): string =>
  String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);

export const fingerprintToHash = (fingerprint: Fingerprint): Hash128 =>
  limbChars(fingerprint.f0) +
  limbChars(fingerprint.f1) +
  limbChars(fingerprint.f2) +
  limbChars(fingerprint.f3);
