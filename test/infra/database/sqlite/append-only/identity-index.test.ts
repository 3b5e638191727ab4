import { createCipheriv, hash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { createIdentityIndex } from '#infra/database/sqlite/append-only/identity-index.ts';

const bytesOf = (id: Hash128): Uint8Array => Buffer.from(id, 'latin1');
/** So many identities, one behind the other; the same ones every time. */
const randomBytes = (count: number): Uint8Array =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(16 * count));
const identity = (of: number): Hash128 => hash('sha256', String(of), 'binary').slice(0, 16);

describe('the identity index', () => {
  it('finds each of many identities under its ordinal, and no other', () => {
    const count = 60_000;
    const index = createIdentityIndex();
    const isThere = (id: Hash128) => (ordinal: number) => identity(ordinal) === id;
    for (let i = 0; i < count; i++) index.addBytes(bytesOf(identity(i)), 0, i);
    for (let i = 0; i < count; i += 7) expect(index.find(identity(i), isThere(identity(i)))).to.equal(i);
    for (let i = count; i < 2 * count; i += 7)
      expect(index.find(identity(i), isThere(identity(i)))).to.equal(-1);
  });

  it('does what a map would do, whatever is added and dropped, though fingerprints collide and ordinals are rebased', () => {
    // Few different bytes, so that fingerprints, tags and homes are the same for many; numbered by 0 to 40 only, so that the base moves.
    const collidingId = fc
      .tuple(fc.constantFrom(0, 255), fc.constantFrom(0, 1, 255), fc.nat(3), fc.nat(5))
      .map(([first, tag, beside, rest]) =>
        String.fromCharCode(first, tag, tag, tag, tag, beside).padEnd(16, String(rest)),
      );
    const step = fc.oneof(collidingId, fc.nat(8));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const index = createIdentityIndex(40);
        const ids: Hash128[] = [];
        let first = 0;
        const find = (id: Hash128) => index.find(id, (ordinal) => ids[ordinal] === id);
        for (const one of steps) {
          if (typeof one === 'number') first = Math.min(ids.length, first + one);
          if (ids.length - first >= 35) first = ids.length - 30;
          index.dropBelow(first);
          if (typeof one === 'number') continue;
          const expected = ids.lastIndexOf(one);
          expect(find(one)).to.equal(expected >= first ? expected : -1);
          if (expected >= first && expected >= 0) continue;
          if (ids.length % 2 === 0) index.addBytes(bytesOf(one), 0, ids.length);
          else index.addBytes(Buffer.from(`x${one}`, 'latin1'), 1, ids.length);
          ids.push(one);
        }
        for (const [ordinal, id] of ids.entries()) if (ordinal >= first) expect(find(id)).to.equal(ordinal);
      }),
    );
  });

  it('finds each of hundreds of identities that share their fingerprint, at either end of a segment', () => {
    for (const byte of [0, 255]) {
      const index = createIdentityIndex();
      const of = (number: number): Hash128 =>
        String.fromCharCode(7, byte, byte, byte, byte).padEnd(16, String(number).padStart(11, '0'));
      for (let i = 0; i < 500; i++) index.addBytes(bytesOf(of(i)), 0, i);
      index.dropBelow(100);
      for (let i = 500; i < 700; i++) index.addBytes(bytesOf(of(i)), 0, i);
      for (let i = 0; i < 750; i++)
        expect(index.find(of(i), (ordinal) => ordinal === i)).to.equal(i >= 100 && i < 700 ? i : -1);
    }
  });

  it('takes 10 bytes for each of many identities at most, whether they came one by one or into reserved room', () => {
    const count = 300_000;
    for (const reserved of [0, count]) {
      const index = createIdentityIndex();
      index.reserve(reserved);
      const ids = randomBytes(count);
      for (let i = 0; i < count; i++) index.addBytes(ids, 16 * i, i);
      expect(index.byteLength / count).to.be.lessThan(10);
    }
  });

  it('keeps everything when room is reserved, and finds nothing under what is no hash', () => {
    const index = createIdentityIndex();
    for (let i = 0; i < 1000; i++) index.addBytes(bytesOf(identity(i)), 0, i);
    index.reserve(100_000);
    for (let i = 0; i < 1000; i++) expect(index.find(identity(i), (ordinal) => ordinal === i)).to.equal(i);
    expect(index.find('\u0100'.repeat(16), () => true)).to.equal(-1);
  });

  it('does not grow for ever where as many rows go as come', () => {
    const index = createIdentityIndex();
    for (let i = 0; i < 100_000; i++) {
      index.dropBelow(i - 5_000);
      index.addBytes(bytesOf(identity(i)), 0, i);
    }
    expect(index.byteLength).to.be.lessThan(5_000 * 8 * 4);
  });

  it('refuses more live rows than it can number', () => {
    const index = createIdentityIndex(10);
    for (let i = 0; i < 10; i++) index.addBytes(bytesOf(identity(i)), 0, i);
    expect(() => index.addBytes(bytesOf(identity(10)), 0, 10)).to.throw(StoreFailure);
    index.dropBelow(1);
    index.addBytes(bytesOf(identity(10)), 0, 10);
    expect(index.find(identity(10), (ordinal) => ordinal === 10)).to.equal(10);
  });
});
