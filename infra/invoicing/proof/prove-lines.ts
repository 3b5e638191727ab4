import { createMerkleTree, eventLeafHash, hash256ToHex, type MerkleTree } from '#domain/invoicing/merkle.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { contributedValue } from './counted-event.ts';
import { dispatchEvents, type EventReader } from './dispatch-events.ts';
import { createFingerprintSum } from './fingerprint-sum.ts';
import type { LineQuestion } from './line-question.ts';

/** What the events behind a line come to, whatever is measured of them. */
export interface LineProof {
  /** The root of the Merkle tree of its events in the order of (time, identity): 64 hex digits. */
  readonly merkleRoot: string;
  /** The sum of their digests modulo 2^128: 32 hex digits. */
  readonly fingerprint: string;
  readonly events: number;
}

export interface ProveLines {
  readonly namespace: string;
  readonly lines: readonly LineQuestion[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Merkle roots and fingerprints of any number of lines, in their order, in one pass over the events behind them and without holding any. Throws what
 * the warehouse throws.
 */
export async function proveLines(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, lines, signal }: ProveLines,
): Promise<LineProof[]> {
  const provers = lines.map(createProver);
  await dispatchEvents(warehouse, { namespace, readers: provers, signal });
  return provers.map(({ proof }) => proof());
}

export interface Prover extends EventReader {
  proof(): LineProof;
}

export function createProver(line: LineQuestion): Prover {
  const tree: MerkleTree = createMerkleTree();
  const digests = createFingerprintSum();
  return {
    line,
    take: (event, meter) => {
      const { identity, digest } = event.said;
      tree.append(eventLeafHash({ identity, digest, value: contributedValue(meter, event) }));
      digests.add(digest);
    },
    proof: () => ({
      merkleRoot: hash256ToHex(tree.root()),
      fingerprint: digests.text(),
      events: tree.size,
    }),
  };
}
