import { expect } from 'chai';
import { StoreError } from '#infra/database/errors.ts';
import { encodeKey, layoutOf } from '#infra/database/spanner/layout.ts';
import { SHARDS, shardOf } from '#infra/database/spanner/shard.ts';
import { column, defineTable } from '#infra/database/table.ts';
import type { Spread } from '#infra/database/table.ts';

const tableSpread = (spread: Spread) =>
  defineTable('note', {
    columns: { namespace: column('string'), id: column('string'), part: column('int64') },
    key: ['namespace', 'id', 'part'],
    spread: spread as Spread & { by: ('namespace' | 'id' | 'part')[] },
  });

describe('the shard of a key', () => {
  it('never changes, since rows are stored by it', () => {
    const keys = [
      ['default', 'a'],
      ['default', 'b'],
      ['', 'Zürich \u{1F600}'],
      [7, true],
    ];
    expect(keys.map(shardOf)).to.deep.equal([4, 11, 0, 3]);
  });

  it('spreads ids that count up, and ids of the same millisecond, evenly', () => {
    const named = Array.from({ length: 8_000 }, (_, i) => [
      'default',
      `1234567${String(i).padStart(6, '0')}`,
    ]);
    const timed = Array.from({ length: 8_000 }, (_, i) => [
      'default',
      `019aaf00-0000-7${i.toString(16).padStart(3, '0')}-8000-000000000000`,
    ]);
    for (const keys of [named, timed]) {
      const counts = new Array<number>(SHARDS).fill(0);
      for (const key of keys) counts[shardOf(key)] = (counts[shardOf(key)] ?? 0) + 1;
      const even = keys.length / SHARDS;
      expect(Math.max(...counts)).to.be.below(1.3 * even);
      expect(Math.min(...counts)).to.be.above(0.7 * even);
    }
  });

  it('stands before the key, and is the same for all rows that agree in what spreads them', () => {
    const layout = layoutOf(tableSpread({ by: ['namespace', 'id'], key: true }));
    const [first, second] = [1, 2].map((part) => encodeKey(layout, ['default', 'a', part]));
    expect(first).to.have.length(4);
    expect(first?.[0]).to.deep.equal(second?.[0]);
    expect(first?.[0]).to.deep.equal({ stringValue: String(shardOf(['default', 'a'])) });
  });

  it('is refused where rows could not be found by it', () => {
    const refused: Spread[] = [
      { by: ['id'], key: true },
      { by: ['namespace', 'part'], key: true },
      { by: ['namespace', 'other'] },
      { by: ['namespace'], indexes: ['byNothing'] },
    ];
    for (const spread of refused) expect(() => layoutOf(tableSpread(spread))).to.throw(StoreError);
  });
});
