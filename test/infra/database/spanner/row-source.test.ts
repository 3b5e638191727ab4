import { Readable } from 'node:stream';
import { expect } from 'chai';
import { RefusedValue } from '#infra/database/errors.ts';
import { layoutOf } from '#infra/database/spanner/layout.ts';
import { keyReads } from '#infra/database/spanner/row-source.ts';
import type { RowSource } from '#infra/database/spanner/row-source.ts';
import type { RowRequest } from '#infra/database/spanner/row-stream.ts';
import { column, defineTable } from '#infra/database/table.ts';

const thing = defineTable('thing', { columns: { id: column('string'), rank: column('int64') }, key: ['id'] });
const other = defineTable('other', { columns: { id: column('string') }, key: ['id'] });

/** Has every thing whose id is a number, and notes what it is asked. */
function source(failing = false) {
  const requests: (readonly [table: string, ids: string[]])[] = [];
  const state = { open: 0 };
  const idsOf = (request: RowRequest): string[] =>
    request.kind === 'keys'
      ? (request.keySet.keys ?? []).map(({ values }) => values?.[0]?.stringValue ?? '')
      : [];
  const rowSource: RowSource = {
    open: async (request) => {
      const ids = idsOf(request);
      requests.push([request.kind === 'keys' ? request.table : '', ids]);
      state.open++;
      if (failing) throw new Error('no answer');
      // In no order, as it may be.
      const there = ids.filter((id) => /^\d+$/.test(id)).toReversed();
      const rows = there.map((id) => [{ value: id }, { value: id }]);
      return { stream: Readable.from(rows), end: () => void state.open-- };
    },
    failure: (error) => (error instanceof RefusedValue ? error : new Error('told so')),
  };
  return { requests, state, read: keyReads(rowSource, layoutOf) };
}

describe('reads by key', () => {
  it('that are started together are one request a table, each key once', async () => {
    const { requests, state, read } = source();
    const later = async () => {
      // Work that has something settled to wait for still belongs to the same turn.
      await Promise.resolve();
      return read(thing, [['2'], ['none']]);
    };
    const all = await Promise.all([
      read(thing, [['1'], ['2']]),
      read(other, [['x']]),
      later(),
      read(thing, []),
    ]);
    expect(all).to.deep.equal([
      [
        { id: '1', rank: 1 },
        { id: '2', rank: 2 },
      ],
      [undefined],
      [{ id: '2', rank: 2 }, undefined],
      [],
    ]);
    expect(requests.toSorted()).to.deep.equal([
      ['other', ['x']],
      ['thing', ['1', '2', 'none']],
    ]);
    expect(state.open).to.equal(0);
  });

  it('that are started after an answer are requests of their own', async () => {
    const { requests, read } = source();
    await read(thing, [['1']]);
    await read(thing, [['1']]);
    expect(requests).to.deep.equal([
      ['thing', ['1']],
      ['thing', ['1']],
    ]);
  });

  it('of very many keys are several requests at once', async () => {
    const { requests, read } = source();
    const keys = Array.from({ length: 12_000 }, (_, i) => [String(i)]);
    const rows = await read(thing, keys);
    expect(rows.map((row) => row?.rank)).to.deep.equal(keys.map((_, i) => i));
    expect(requests.map(([, ids]) => ids.length)).to.deep.equal([5_000, 5_000, 2_000]);
  });

  it('fail together, and a key that cannot be fails alone', async () => {
    const { read } = source(true);
    const failed = await Promise.allSettled([read(thing, [['1']]), read(thing, [['2']])]);
    expect(failed.map((each) => (each.status === 'rejected' ? String(each.reason) : 'done'))).to.deep.equal([
      'Error: told so',
      'Error: told so',
    ]);
    const good = source();
    const both = await Promise.allSettled([good.read(thing, [['\uD800']]), good.read(thing, [['2']])]);
    expect(both.map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled']);
  });
});
