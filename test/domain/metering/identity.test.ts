import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { fromHex, toHex } from '#domain/metering/hash128.ts';
import { canonicalOf, digestOf, digestOfSaid, identityOf } from '#domain/metering/identity.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom('', 'a"b', '\\', 'Zürich/7', '😀', '\u2028', '\u007f'),
);
const first16 = (...parts: (string | Buffer)[]): string => {
  const sha = createHash('sha256');
  for (const part of parts) sha.update(part);
  return sha.digest('hex').slice(0, 32);
};

describe('identity', () => {
  it('is the first 16 bytes of SHA-256 over namespace, source and id with single zero bytes between', () => {
    fc.assert(
      fc.property(text, text, text, (namespace, source, id) => {
        expect(toHex(identityOf(namespace, source, id))).to.equal(first16(namespace, '\0', source, '\0', id));
      }),
      { numRuns: 500 },
    );
  });

  it('does not run its parts together', () => {
    expect(identityOf('a', 'b', 'cd')).to.not.equal(identityOf('a', 'bc', 'd'));
    expect(identityOf('ab', '', 'c')).to.not.equal(identityOf('a', 'b', 'c'));
  });
});

describe('digest', () => {
  it('is the first 16 bytes of SHA-256 over the identity and the canonical text, of any length', () => {
    const lengths = fc.oneof(
      fc.integer({ min: 0, max: 3_000 }),
      fc.constantFrom(677, 678, 2_032, 2_033, 70_000),
    );
    fc.assert(
      fc.property(text, lengths, fc.constantFrom('a', 'é', '€', '😀'), (id, length, unit) => {
        const identity = identityOf('default', 'source', id);
        const canonical = `["${unit.repeat(length / unit.length)}"]`;
        expect(toHex(digestOf(identity, canonical))).to.equal(
          first16(Buffer.from(toHex(identity), 'hex'), canonical),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('the digest of what is plain ASCII', () => {
  it('is that of its canonical text, put together in place or not, of any length', () => {
    const name = fc.string({ unit: fc.constantFrom('a', ' ', '~', '/'), minLength: 1, maxLength: 256 });
    const length = fc.oneof(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1_400, max: 2_100 }),
      fc.constant(60_000),
    );
    fc.assert(
      fc.property(name, name, fc.option(name), length, (type, subject, sentTime, digits) => {
        const said = { type, subject, sentTime, data: `{"a":"${'7'.repeat(digits)}"}` };
        const identity = identityOf('default', 'source', type);
        for (const plain of [true, false])
          expect(digestOfSaid(identity, said, plain)).to.equal(digestOf(identity, canonicalOf(said)));
      }),
      { numRuns: 500 },
    );
  });
});

describe('canonical text', () => {
  it('is JSON.stringify of type, subject, time and data', () => {
    fc.assert(
      fc.property(text, text, fc.option(text), (type, subject, sentTime) => {
        const said = { type, subject, sentTime, data: '{"a":1}' };
        expect(canonicalOf(said)).to.equal(JSON.stringify([type, subject, sentTime, { a: 1 }]));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a hash in hex', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex');
        expect(toHex(fromHex(hex))).to.equal(hex);
        expect(fromHex(hex)).to.equal(String.fromCharCode(...bytes));
      }),
    );
  });

  it('sorts as its bytes do', () => {
    const hash = fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((bytes) => Buffer.from(bytes).toString('hex'));
    fc.assert(
      fc.property(hash, hash, (a, b) => {
        expect(fromHex(a) < fromHex(b)).to.equal(a < b);
      }),
    );
  });

  it('is refused unless it is 32 lower-case hex digits', () => {
    for (const hex of [
      '',
      '0'.repeat(31),
      '0'.repeat(33),
      'A'.repeat(32),
      'g'.repeat(32),
      `${'0'.repeat(32)}\n`,
    ]) {
      expect(() => fromHex(hex)).to.throw(RangeError, /not 32 lower-case hex digits/);
    }
  });
});
