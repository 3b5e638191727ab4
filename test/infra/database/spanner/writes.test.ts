import { expect } from 'chai';
import { RefusedValue, StoreFailure } from '#infra/database/errors.ts';
import { mutationsOf } from '#infra/database/mutation-count.ts';
import { layoutOf } from '#infra/database/spanner/layout.ts';
import { shardOf } from '#infra/database/spanner/shard.ts';
import { toMutations, updateOfDeleted } from '#infra/database/spanner/writes.ts';
import type { Write } from '#infra/database/spanner/writes.ts';
import { column, defineTable, nullable } from '#infra/database/table.ts';
import { MUTATIONS_PER_COMMIT_MAX } from '#domain/limits.ts';

const thing = defineTable('thing', {
  columns: { id: column('string'), rank: nullable('int64'), label: column('string') },
  key: ['id'],
  indexes: { byRank: { columns: ['rank'] }, byLabel: { columns: ['label'], unique: true } },
});
const note = defineTable('note', {
  columns: { id: column('string'), text: column('string') },
  key: ['id'],
  spread: { by: ['id'], key: true },
});

const layout = layoutOf(thing);
const row = (id: string, rank: number | null = null, label = id) => ({ id, rank, label });
const insert = (id: string): Write => ({ kind: 'insert', layout, row: row(id) });
const update = (id: string, changed: object): Write => ({ kind: 'update', layout, row: { id, ...changed } });
const remove = (id: string): Write => ({ kind: 'delete', layout, key: [id] });

describe('the mutations of a commit', () => {
  it('are the writes in their order within a table, those of one kind and columns together', () => {
    const mutations = toMutations([
      insert('a'),
      { kind: 'upsert', layout: layoutOf(note), row: { id: 'n', text: 't' } },
      insert('b'),
      remove('c'),
      update('d', { rank: 7 }),
      update('e', { label: 'x' }),
    ]);
    const text = (stringValue: string) => ({ stringValue });
    const whole = (id: string) => ({ values: [text(id), { nullValue: 0 }, text(id)] });
    expect(mutations).to.deep.equal([
      { insert: { table: 'thing', columns: ['id', 'rank', 'label'], values: [whole('a'), whole('b')] } },
      { delete: { table: 'thing', keySet: { keys: [{ values: [text('c')] }] } } },
      { update: { table: 'thing', columns: ['id', 'rank'], values: [{ values: [text('d'), text('7')] }] } },
      { update: { table: 'thing', columns: ['id', 'label'], values: [{ values: [text('e'), text('x')] }] } },
      {
        insertOrUpdate: {
          table: 'note',
          columns: ['shard', 'id', 'text'],
          values: [{ values: [text(String(shardOf(['n']))), text('n'), text('t')] }],
        },
      },
    ]);
  });

  it('leave out of an update what is undefined, and refuse a column that is not there', () => {
    const [mutation] = toMutations([update('a', { rank: undefined, label: 'x' })]);
    expect(mutation?.update?.columns).to.deep.equal(['id', 'label']);
    expect(() => toMutations([update('a', { other: 1 })])).to.throw(StoreFailure, 'no column other');
  });

  it('are refused where a key of the table or of an index is longer than Spanner takes', () => {
    expect(() => toMutations([insert('é'.repeat(4_097))])).to.throw(RefusedValue, 'thing: a key (id)');
    // 4,096 twice: in the table it fits, beside the label in an index it does not.
    expect(() => toMutations([insert('é'.repeat(2_049))])).to.throw(RefusedValue, '(label, id)');
    expect(() => toMutations([insert('é'.repeat(2_048))])).not.to.throw();
  });

  it('are counted as Spanner counts: columns, and the index entries that may change', () => {
    const count = (write: Write) => mutationsOf({ ...write, table: write.layout.table });
    expect(count(insert('a'))).to.equal(3 + 2);
    expect(count({ kind: 'upsert', layout, row: row('a') })).to.equal(3 + 2 * 2);
    expect(count(update('a', { rank: 1 }))).to.equal(2 + 2);
    expect(count(remove('a'))).to.equal(1 + 2);
    expect(count({ kind: 'insert', layout: layoutOf(note), row: { id: 'n', text: 't' } })).to.equal(3);
  });

  it('are refused as a whole above the limit of a commit, with both numbers', () => {
    const writes = Array.from({ length: MUTATIONS_PER_COMMIT_MAX / 5 }, (_, i) => insert(String(i)));
    expect(toMutations(writes)).to.have.length(1);
    expect(() => toMutations([...writes, insert('one more')])).to.throw(
      StoreFailure,
      `a transaction of ${MUTATIONS_PER_COMMIT_MAX + 5} mutations, of at most ${MUTATIONS_PER_COMMIT_MAX}`,
    );
  });

  it('know of an update of what they have deleted', () => {
    expect(updateOfDeleted([remove('a'), update('b', {}), insert('a'), update('a', {})])).to.equal(undefined);
    expect(updateOfDeleted([insert('a'), remove('a'), update('a', {})])?.kind).to.equal('NotFound');
  });
});
