import { expect } from 'chai';
import { spannerDdl } from '#infra/database/spanner/ddl.ts';
import { layoutOf, physicalIndex, physicalKey } from '#infra/database/spanner/layout.ts';
import { indexName } from '#infra/database/spanner/names.ts';
import { schemaState } from '#infra/database/spanner/schema.ts';
import type { Table } from '#infra/database/table.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';

/** Spanner's limits of a schema. */
const KEY_COLUMNS_MAX = 16;
const COLUMNS_MAX = 1_024;
const INDEXES_PER_TABLE_MAX = 32;
const NAME_CHARS_MAX = 128;

/** Columns that rise with time: a time that is not bounded by what it stands behind, or an id with the time in it. */
const RISING = new Set([
  'id',
  'messageId',
  'receivedAt',
  'expiresAt',
  'overdraftAt',
  'createdAt',
  'updatedAt',
  'parkedAt',
  'at',
]);
/** Columns with few values: they do not spread what stands behind them. */
const FEW_VALUES = new Set(['namespace', 'feed', 'state', 'reason', 'table', 'kind']);

/** Said to be written so rarely that one machine has no trouble with them; the decision record has the numbers. */
const RARE = new Set([
  'api_key',
  'api_key_byExpiry',
  'correction',
  'invoice_run',
  'millrace_schema',
  'open_reconciliation',
  'reconciliation',
  'staged_import',
  'subscription',
]);

const tables: readonly Table<object>[] = [...CLOUD_TABLES, schemaState];
const keys = tables.flatMap((table) => {
  const layout = layoutOf(table);
  return [
    { name: table.name, columns: physicalKey(layout), all: physicalKey(layout) },
    ...Object.keys(table.indexes).map((index) => {
      const columns = physicalIndex(layout, index);
      const rest = physicalKey(layout).filter((name) => !columns.includes(name));
      return { name: indexName(table, index), columns, all: [...columns, ...rest] };
    }),
  ];
});

describe('the tables on Spanner', () => {
  it('are within the limits of its schemas', () => {
    for (const { name, all } of keys) {
      expect(all.length, name).to.be.at.most(KEY_COLUMNS_MAX);
      expect(name.length, name).to.be.at.most(NAME_CHARS_MAX);
    }
    for (const { name, columns, indexes } of tables) {
      expect(Object.keys(columns).length, name).to.be.at.most(COLUMNS_MAX);
      expect(Object.keys(indexes).length, name).to.be.at.most(INDEXES_PER_TABLE_MAX);
    }
    const names = keys.map(({ name }) => name.toLowerCase());
    expect(new Set(names).size, 'names that differ').to.equal(names.length);
  });

  it('have no key and no index that takes many writes at its end, behind columns of few values', () => {
    const hot = keys.filter(({ name, all }) => {
      const first = all.find((column) => !FEW_VALUES.has(column));
      return first !== undefined && RISING.has(first) && !RARE.has(name);
    });
    expect(hot.map(({ name, all }) => `${name} (${all.join(', ')})`)).to.deep.equal([]);
  });

  it('need nothing more once they are there', () => {
    const columns = new Map(
      tables.map((table) => [
        table.name,
        new Set([...Object.keys(table.columns), ...(table.spread === undefined ? [] : ['shard'])]),
      ]),
    );
    const indexes = new Set(keys.map(({ name }) => name));
    expect(spannerDdl(tables, { columns, indexes })).to.deep.equal([]);
    expect(spannerDdl(tables).filter((sql) => !/^CREATE .*IF NOT EXISTS/.test(sql))).to.deep.equal([]);
  });
});
