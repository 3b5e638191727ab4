const FINGERPRINT_BITS = 128;
const FINGERPRINT_DIGITS = 32;

/** The sum of digests modulo 2^128, straight from what the warehouse has. */
export interface FingerprintSum {
  /** 32 hex digits. */
  add(digest: string): void;
  text(): string;
}

export function createFingerprintSum(): FingerprintSum {
  // Reduced once, in the end: so many digests make it a few bits longer.
  let sum = 0n;
  return {
    add: (digest) => void (sum += BigInt(`0x${digest}`)),
    text: () => BigInt.asUintN(FINGERPRINT_BITS, sum).toString(16).padStart(FINGERPRINT_DIGITS, '0'),
  };
}
