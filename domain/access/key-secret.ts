import { hash } from 'node:crypto';

/** How every secret begins, so that scanners of source code and logs can find one that leaked. */
export const KEY_PREFIX = 'mr_live_';
export const KEY_SECRET_BYTES = 32;
/** 256 bits as base64url without padding. */
const BODY_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
export const KEY_SECRET_LENGTH = KEY_PREFIX.length + BODY_LENGTH + CHECKSUM_LENGTH;
/** The characters of a secret that are kept and shown, so that its owner can tell his keys apart: 24 of its 256 bits. */
const SHOWN_LENGTH = KEY_PREFIX.length + 4;

const SHAPE = new RegExp(`^${KEY_PREFIX}[A-Za-z0-9_-]{${BODY_LENGTH + CHECKSUM_LENGTH}}$`);

/** 36 bits over the rest: a typing error passes once in some 70 billion times. It hides nothing and proves nothing. */
const checksumOf = (text: string): string => hash('sha256', text, 'base64url').slice(0, CHECKSUM_LENGTH);

/**
 * The secret that random bytes make: `mr_live_`, 43 characters of base64url, 6 of checksum. Throws a RangeError unless it is given
 * exactly 32 bytes.
 */
export function formatKeySecret(random: Uint8Array): string {
  if (random.length !== KEY_SECRET_BYTES)
    throw new RangeError(`a key is made of ${KEY_SECRET_BYTES} random bytes, not ${random.length}`);
  const text = `${KEY_PREFIX}${Buffer.from(random).toString('base64url')}`;
  return `${text}${checksumOf(text)}`;
}

/** Whether a text could be a secret at all. Asked before any look-up: what is mistyped or cut costs no store anything. */
export const isKeySecret = (text: string): boolean =>
  SHAPE.test(text) && text.endsWith(checksumOf(text.slice(0, -CHECKSUM_LENGTH)));

/** What is stored of a secret, and looked up: its SHA-256 in hex. With 256 random bits in it no salt and no slow hash is needed. */
export const hashKeySecret = (secret: string): string => hash('sha256', secret, 'hex');

/** The beginning of a secret, by which its owner recognises it. */
export const shownPartOf = (secret: string): string => secret.slice(0, SHOWN_LENGTH);
