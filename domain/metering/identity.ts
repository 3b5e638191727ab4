import { hash } from 'node:crypto';
import { HASH128_BYTES, type Hash128 } from './hash128.ts';

/** First 16 bytes of SHA-256 over namespace, source and id in UTF-8 with single zero bytes between; none of them can hold one. */
export function identityOf(namespace: string, source: string, id: string): Hash128 {
  return hash('sha256', `${namespace}\0${source}\0${id}`, 'binary').slice(0, HASH128_BYTES);
}

/** What an event says, apart from who says it: type, subject, time as sent and data. */
export interface Said {
  readonly type: string;
  readonly subject: string;
  readonly sentTime: string | null;
  /** Canonical text. */
  readonly data: string;
}

/** Strings that need no escape in JSON: the usual case, spared a call of JSON.stringify. */
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/; // eslint-disable-line no-control-regex -- these are what JSON escapes

const quote = (text: string): string => (NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`);

/** `[type, subject, time, data]` as canonical JSON. */
export function canonicalOf({ type, subject, sentTime, data }: Said): string {
  return `[${quote(type)},${quote(subject)},${sentTime === null ? 'null' : quote(sentTime)},${data}]`;
}

const SCRATCH_BYTES = 2_048;
const scratch = Buffer.alloc(SCRATCH_BYTES);
/** Views of the scratch by length, since making one costs as much as hashing it. */
const views: (Buffer | undefined)[] = [];

const hashScratch = (length: number): Hash128 =>
  hash('sha256', (views[length] ??= scratch.subarray(0, length)), 'binary').slice(0, HASH128_BYTES);

/** First 16 bytes of SHA-256 over the identity's bytes followed by the canonical text in UTF-8. */
export function digestOf(identity: Hash128, canonical: string): Hash128 {
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (HASH128_BYTES + canonical.length * 3 > SCRATCH_BYTES) {
    const bytes = Buffer.concat([Buffer.from(identity, 'latin1'), Buffer.from(canonical, 'utf8')]);
    return hash('sha256', bytes, 'binary').slice(0, HASH128_BYTES);
  }
  scratch.write(identity, 0, 'latin1');
  return hashScratch(HASH128_BYTES + scratch.write(canonical, HASH128_BYTES, 'utf8'));
}

/** Brackets, quotes and commas of the canonical text of an event with a time. */
const PUNCTUATION_BYTES = 11;

/**
 * The digest of what an event says. Where all of it is printable ASCII without escapes (`plain`), the canonical text is put together in
 * place, byte by byte the same as `canonicalOf` gives, without ever being a string.
 */
export function digestOfSaid(identity: Hash128, said: Said, plain: boolean): Hash128 {
  const { type, subject, sentTime, data } = said;
  if (!plain || sentTime === null) return digestOf(identity, canonicalOf(said));
  const length =
    HASH128_BYTES + PUNCTUATION_BYTES + type.length + subject.length + sentTime.length + data.length;
  if (length > SCRATCH_BYTES) return digestOf(identity, canonicalOf(said));
  let at = writeLatin1(identity, 0);
  scratch[at++] = OPENING_BRACKET;
  at = writeQuoted(type, at);
  at = writeQuoted(subject, at);
  at = writeQuoted(sentTime, at);
  at = writeLatin1(data, at);
  scratch[at++] = CLOSING_BRACKET;
  return hashScratch(at);
}

/** Up to so many characters a loop beats a call, which first has to find out where the text lies that this one was cut from. */
const LOOP_CHARACTERS_MAX = 64;

/** Writes characters below 256; returns where the next one goes. */
function writeLatin1(text: string, at: number): number {
  const { length } = text;
  if (length > LOOP_CHARACTERS_MAX) return at + scratch.write(text, at, 'latin1');
  for (let i = 0; i < length; i++) scratch[at + i] = text.charCodeAt(i);
  return at + length;
}

const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const QUOTE = 0x22;
const COMMA = 0x2c;

/** `"text",` */
function writeQuoted(text: string, at: number): number {
  scratch[at] = QUOTE;
  const end = writeLatin1(text, at + 1);
  scratch[end] = QUOTE;
  scratch[end + 1] = COMMA;
  return end + 2;
}
