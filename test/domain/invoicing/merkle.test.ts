import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  createMerkleTree,
  EMPTY_ROOT,
  eventLeafHash,
  hash256FromHex,
  hash256ToHex,
  inclusionProof,
  leafHash,
  nodeHash,
  provesInclusion,
  type Hash256,
} from '#domain/invoicing/merkle.ts';

/** The leaves that implementations of RFC 6962 check each other with. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
/** The roots of the first 0, 1, 2, … of them, as those implementations have them. */
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const bytesOf = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');
const leaves = LEAVES.map((hex) => leafHash(bytesOf(hex)));

function rootOf(all: readonly Hash256[]): Hash256 {
  const tree = createMerkleTree();
  for (const leaf of all) tree.append(leaf);
  expect(tree.size).to.equal(all.length);
  return tree.root();
}

/* The definitions of RFC 6962, section 2.1, word for word and over byte arrays: nothing of them is the product's. */

const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** The largest power of two smaller than n. */
const splitOf = (n: number): number => 2 ** (31 - Math.clz32(n - 1));

function naiveRoot(data: readonly Buffer[]): Buffer {
  const [only] = data;
  if (only === undefined) return sha256();
  if (data.length === 1) return sha256(Buffer.of(0), only);
  const k = splitOf(data.length);
  return sha256(Buffer.of(1), naiveRoot(data.slice(0, k)), naiveRoot(data.slice(k)));
}

function naivePath(m: number, data: readonly Buffer[]): Buffer[] {
  if (data.length <= 1) return [];
  const k = splitOf(data.length);
  return m < k
    ? [...naivePath(m, data.slice(0, k)), naiveRoot(data.slice(k))]
    : [...naivePath(m - k, data.slice(k)), naiveRoot(data.slice(0, k))];
}

const leafData = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 });
const hashesOf = (data: readonly Uint8Array[]): Hash256[] =>
  data.map((bytes) => leafHash(Buffer.from(bytes).toString('latin1')));
const hexOf = (hashes: readonly Hash256[]): string[] => hashes.map(hash256ToHex);

describe('a Merkle tree', () => {
  it('has the roots that RFC 6962 gives it, for every size from 0 to 8', () => {
    for (const [size, root] of ROOTS.entries())
      expect(hash256ToHex(rootOf(leaves.slice(0, size)))).to.equal(root);
  });

  it('is for any leaves what the definition says, and so are its proofs', () => {
    fc.assert(
      fc.property(leafData, fc.nat(), (data, pick) => {
        const hashes = hashesOf(data);
        const bytes = data.map((each) => Buffer.from(each));
        const root = rootOf(hashes);
        expect(hash256ToHex(root)).to.equal(naiveRoot(bytes).toString('hex'));
        if (data.length === 0) return;
        const index = pick % data.length;
        const proof = inclusionProof(hashes, index);
        expect(hexOf(proof.path)).to.deep.equal(naivePath(index, bytes).map((each) => each.toString('hex')));
        expect(provesInclusion(hashes[index]!, proof, root)).to.equal(true);
      }),
      { numRuns: 200 },
    );
  });

  it('has the proofs of the tree of seven that RFC 6962 draws, for d0, d3, d4 and d6', () => {
    const d = leaves.slice(0, 7) as [Hash256, Hash256, Hash256, Hash256, Hash256, Hash256, Hash256];
    // The names of the drawing: g, h, i, j are pairs of leaves, k and l the halves.
    const [g, h, i, j] = [nodeHash(d[0], d[1]), nodeHash(d[2], d[3]), nodeHash(d[4], d[5]), d[6]];
    const [k, l] = [nodeHash(g, h), nodeHash(i, j)];
    expect(rootOf(d)).to.equal(nodeHash(k, l));
    const pathOf = (index: number): readonly Hash256[] => inclusionProof(d, index).path;
    expect(hexOf(pathOf(0))).to.deep.equal(hexOf([d[1], h, l]));
    expect(hexOf(pathOf(3))).to.deep.equal(hexOf([d[2], g, l]));
    expect(hexOf(pathOf(4))).to.deep.equal(hexOf([d[5], j, k]));
    expect(hexOf(pathOf(6))).to.deep.equal(hexOf([i, k]));
  });

  it('is another one when any leaf changes, goes, comes or takes the place of another', () => {
    fc.assert(
      fc.property(leafData, fc.nat(), fc.nat(), (data, pick, other) => {
        const all = hashesOf(data);
        const root = rootOf(all);
        expect(rootOf([...all, leafHash('one more')])).to.not.equal(root);
        if (all.length === 0) return;
        const [a, b] = [pick % all.length, other % all.length];
        expect(
          rootOf(all.with(a, leafHash('never drawn, since it is longer than any leaf that is drawn'))),
        ).to.not.equal(root);
        expect(rootOf(all.toSpliced(a, 1))).to.not.equal(root);
        if (all[a] !== all[b]) expect(rootOf(all.with(a, all[b]!).with(b, all[a]!))).to.not.equal(root);
      }),
      { numRuns: 100 },
    );
  });

  it('proves a leaf at its place in its own tree, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.nat(), fc.nat(), (size, pick, wrong) => {
        const all = Array.from({ length: size }, (_, place) => leafHash(String(place)));
        const root = rootOf(all);
        const index = pick % size;
        const proof = inclusionProof(all, index);
        const leaf = all[index]!;
        for (const [place, other] of all.entries())
          expect(provesInclusion(other, proof, root)).to.equal(place === index);
        expect(provesInclusion(leaf, { ...proof, path: [...proof.path, root] }, root)).to.equal(false);
        expect(provesInclusion(leaf, proof, EMPTY_ROOT)).to.equal(false);
        for (const outside of [-1, size, size + 1, 0.5, NaN])
          expect(provesInclusion(leaf, { ...proof, index: outside }, root)).to.equal(false);
        if (proof.path.length === 0) return;
        const at = wrong % proof.path.length;
        expect(provesInclusion(leaf, { ...proof, path: proof.path.toSpliced(at, 1) }, root)).to.equal(false);
        expect(provesInclusion(leaf, { ...proof, path: proof.path.with(at, leafHash('')) }, root)).to.equal(
          false,
        );
      }),
      { numRuns: 100 },
    );
  });

  it('refuses to prove a leaf that it does not have', () => {
    for (const index of [-1, 3, 1.5])
      expect(() => inclusionProof(leaves.slice(0, 3), index)).to.throw(RangeError);
  });

  it('takes as much room for a million leaves as its size has bits, and gives a root at any time', () => {
    const tree = createMerkleTree();
    const leaf = leafHash('the same');
    // A full tree of equal leaves is a chain of its own.
    let full = leaf;
    for (let size = 1; size <= 1 << 16; size++) {
      tree.append(leaf);
      if ((size & (size - 1)) !== 0) continue;
      if (size > 1) full = nodeHash(full, full);
      expect(tree.root()).to.equal(full);
    }
  });

  it('has leaves of events that are the bytes of identity, digest and value, which no other event can have', () => {
    const identity = 'e788bbf0ec7c0aa80738a96dec5d34a1';
    const digest = '6a6e7b0e1abd337f1524c26308cafb1e';
    for (const value of ['1', '-1200.5', '0.3', `-${'9'.repeat(20)}.${'9'.repeat(18)}`]) {
      const bytes = Buffer.concat([Buffer.from(identity + digest, 'hex'), Buffer.from(value, 'ascii')]);
      const expected = sha256(Buffer.of(0), bytes).toString('hex');
      expect(hash256ToHex(eventLeafHash({ identity, digest, value }))).to.equal(expected);
    }
    for (const fault of [{ identity: 'e7' }, { digest: `${digest.slice(2)}zz` }, { value: '9'.repeat(41) }])
      expect(() => eventLeafHash({ identity, digest, value: '1', ...fault })).to.throw(RangeError);
  });

  it('is written in hex, and read from nothing else', () => {
    expect(hash256FromHex(hash256ToHex(leafHash('x')))).to.equal(leafHash('x'));
    for (const text of ['', 'ab', 'A'.repeat(64), 'g'.repeat(64), '0'.repeat(65)])
      expect(() => hash256FromHex(text)).to.throw(RangeError);
  });
});
