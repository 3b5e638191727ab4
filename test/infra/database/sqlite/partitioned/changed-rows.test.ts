import { expect } from 'chai';
import fc from 'fast-check';
import { changedRowsIn, foundOf } from '#infra/database/sqlite/partitioned/changed-rows.ts';
import { hashOf } from '#infra/database/sqlite/partitioned/key-bytes.ts';
import {
  createPartition,
  putEntryInto,
  type Partition,
} from '#infra/database/sqlite/partitioned/partition.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 });

type Step =
  | { readonly what: 'write' | 'delete'; readonly keys: readonly string[] }
  | { readonly what: 'look'; readonly from: string; readonly to: string }
  | { readonly what: 'fold' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom('write', 'delete'), keys: fc.array(text) }) },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('look'), from: text, to: text }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('fold') }) },
);

function put(partition: Partition, key: string, row: string | undefined, round: number): void {
  const bytes = Buffer.from(new TextEncoder().encode(key));
  const hashed = { bytes, from: 0, to: bytes.length, hash: hashOf(bytes, 0, bytes.length) };
  putEntryInto(partition, hashed, row === undefined ? undefined : Buffer.from(row), round);
}

const look = (partition: Partition, round: number, from: string, to: string): string[] =>
  Array.from(
    foundOf(changedRowsIn(partition, round, { from: Buffer.from(from), to: Buffer.from(to) }), false),
    ({ key, row }) => `${key.toString()}=${row === undefined ? 'none' : row.toString()}`,
  );

describe('the rows of a partition that its log has', () => {
  it('are those of the newest round in the range, by rising key, however writes, looks and folds follow each other', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const partition = createPartition(true);
        const model = new Map<string, string>();
        let round = 1;
        for (const [place, each] of steps.entries()) {
          if (each.what === 'fold') {
            round++;
            model.clear();
          } else if (each.what === 'look') {
            const expected = Array.from(model)
              .filter(([key]) => key >= each.from && key < each.to)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, row]) => `${key}=${row}`);
            // The second look at what stays as it is goes another way.
            for (let times = 0; times < 3; times++)
              expect(look(partition, round, each.from, each.to)).to.deep.equal(expected);
          } else
            for (const key of each.keys) {
              const row = each.what === 'write' ? `${place}` : undefined;
              put(partition, key, row, round);
              model.set(key, row ?? 'none');
            }
        }
      }),
      { numRuns: 500 },
    );
  });
});
