import { expect } from 'chai';
import { StoreFailure } from '#infra/database/errors.ts';
import { layoutOf } from '#infra/database/spanner/layout.ts';
import { planScan } from '#infra/database/spanner/scan-plan.ts';
import type { ScanBy } from '#infra/database/spanner/scan-plan.ts';
import { SHARDS, shardOf } from '#infra/database/spanner/shard.ts';
import type { KeyRange, Table } from '#infra/database/table.ts';
import { cell, entry, plain } from '#test/contract/database/tables.ts';

const requests = (table: Table<object>, range: KeyRange, options: ScanBy = {}) =>
  planScan(layoutOf(table), range, options).requests;
const sqlOf = (...of: Parameters<typeof requests>): string => {
  const [request] = requests(...of);
  return request?.kind === 'sql' ? request.sql : 'no query';
};

const text = (stringValue: string) => ({ stringValue });
const COLUMNS = '`namespace`, `name`, `state`, `rank`, `label`';

describe('the plan of a scan', () => {
  it('is a range of the key where the key gives the order', () => {
    expect(requests(plain, { prefix: ['default'], from: 'b', to: 'd' }, { limit: 7 })).to.deep.equal([
      {
        kind: 'keys',
        table: 'contract_plain',
        columns: ['namespace', 'name', 'state', 'rank', 'label'],
        keySet: {
          ranges: [
            {
              startClosed: { values: [text('default'), text('b')] },
              endOpen: { values: [text('default'), text('d')] },
            },
          ],
        },
        limit: 7,
      },
    ]);
  });

  it('is a query by the index, in the order of the index and then the key, forced to it', () => {
    const range = { prefix: ['default', 'open'], to: 10 };
    expect(sqlOf(plain, range, { index: 'byState', reverse: true, limit: 2 })).to.equal(
      `SELECT ${COLUMNS} FROM \`contract_plain\`@{FORCE_INDEX=\`contract_plain_byState\`}` +
        ' WHERE `namespace` = @p0 AND `state` = @p1 AND (`rank` < @p2 OR `rank` IS NULL)' +
        ' ORDER BY `namespace` DESC, `state` DESC, `rank` DESC, `name` DESC LIMIT @p3',
    );
  });

  it('goes by an index that leaves nulls out only where the range has none', () => {
    expect(sqlOf(plain, { prefix: ['taken'] }, { index: 'byLabel' })).to.include('FORCE_INDEX');
    expect(sqlOf(plain, { prefix: [], from: 'a' }, { index: 'byLabel' })).to.include('FORCE_INDEX');
    for (const range of [{ prefix: [] }, { prefix: [null] }, { prefix: [], to: 'b' }])
      expect(sqlOf(plain, range, { index: 'byLabel' })).not.to.include('FORCE_INDEX');
  });

  it('filters by partition, in the order of the partition and then the key', () => {
    expect(sqlOf(cell, { prefix: ['default'] }, { partition: { from: 2, to: 11 } })).to.match(
      /WHERE `namespace` = @p0 AND `hour` >= @p1 AND `hour` < @p2 ORDER BY `hour`, `namespace`, `subject`, `group`$/,
    );
  });

  it('asks all shards of what is spread, or the one that a range lies in', () => {
    expect(requests(entry, { prefix: ['default'] })).to.have.length(SHARDS);
    expect(requests(entry, { prefix: ['default', 'open'] }, { index: 'byState' })).to.have.length(SHARDS);
    expect(requests(entry, { prefix: [] }, { index: 'byTime' })).to.have.length(1);
    const [request, ...others] = requests(entry, { prefix: ['default', 'a'], from: 1 });
    expect(others).to.deep.equal([]);
    const shard = text(String(shardOf(['default', 'a'])));
    expect(request?.kind === 'keys' && request.keySet.ranges?.[0]?.startClosed).to.deep.equal({
      values: [shard, text('default'), text('a'), text('1')],
    });
  });

  it('asks nothing where nothing can be', () => {
    expect(requests(plain, { prefix: ['default'] }, { limit: 0 })).to.deep.equal([]);
    expect(requests(plain, { prefix: [null] })).to.deep.equal([]);
    expect(requests(plain, { prefix: ['default', 'open'], to: null }, { index: 'byState' })).to.deep.equal(
      [],
    );
  });

  it('is refused where the table does not allow it', () => {
    const refused: [Table<object>, KeyRange, ScanBy, string][] = [
      [plain, { prefix: ['a', 'b', 'c'] }, {}, 'a range of more parts than namespace, name'],
      [plain, { prefix: ['a', 'b'], from: 'c' }, {}, 'a range of more parts'],
      [plain, { prefix: [] }, { index: 'byNothing' }, 'no index byNothing'],
      [plain, { prefix: [] }, { partition: { from: 1, to: 2 } }, 'is not partitioned'],
      [plain, { prefix: [] }, { limit: -1 }, 'a whole number'],
    ];
    for (const [table, range, options, why] of refused)
      expect(() => requests(table, range, options)).to.throw(StoreFailure, why);
  });
});
