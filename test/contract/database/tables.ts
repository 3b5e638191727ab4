import { commitTime, column, defineTable, jsonColumn, nullable } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';

/** A column of each type, all of the types a key can have in the key. */
export const everyType = defineTable('contract_every_type', {
  columns: {
    text: column('string'),
    number: column('int64'),
    flag: column('bool'),
    at: column('timestamp'),
    hash: column('hash'),
    valueText: column('string'),
    valueNumber: column('int64'),
    valueFlag: column('bool'),
    committedAt: column('timestamp'),
    valueBytes: column('bytes'),
    valueHash: column('hash'),
    valueJson: jsonColumn<unknown>(),
    maybeText: nullable('string'),
    maybeNumber: nullable('int64'),
    maybeFlag: nullable('bool'),
    maybeAt: nullable('timestamp'),
    maybeBytes: nullable('bytes'),
    maybeHash: nullable('hash'),
    maybeJson: nullable('json'),
  },
  key: ['text', 'number', 'flag', 'at', 'hash'],
});

/** The layout `rows`, with indexes. */
export const plain = defineTable('contract_plain', {
  columns: {
    namespace: column('string'),
    name: column('string'),
    state: column('string'),
    rank: nullable('int64'),
    label: nullable('string'),
  },
  key: ['namespace', 'name'],
  indexes: {
    byState: { columns: ['namespace', 'state', 'rank'] },
    byLabel: { columns: ['label'], unique: true },
  },
});

/** The layout `partitioned`, the partition neither first nor last in the key. */
export const cell = defineTable('contract_cell', {
  columns: {
    namespace: column('string'),
    subject: column('string'),
    hour: column('int64'),
    group: column('string'),
    total: column('int64'),
    note: nullable('string'),
  },
  key: ['namespace', 'subject', 'hour', 'group'],
  layout: { kind: 'partitioned', by: 'hour' },
});

/** The layout `appendOnly`. */
export const fact = defineTable('contract_fact', {
  columns: {
    identity: column('hash'),
    digest: nullable('hash'),
    subject: column('string'),
    time: column('timestamp'),
    committedAt: commitTime(),
  },
  key: ['identity'],
  layout: { kind: 'appendOnly' },
});

/** Spread over machines by a store that has some: its order must be the same. */
export const entry = defineTable('contract_entry', {
  columns: {
    namespace: column('string'),
    id: column('string'),
    part: column('int64'),
    state: column('string'),
    at: nullable('timestamp'),
  },
  key: ['namespace', 'id', 'part'],
  indexes: { byState: { columns: ['namespace', 'state', 'at'] }, byTime: { columns: ['at'] } },
  spread: { by: ['namespace', 'id'], key: true, indexes: ['byState'] },
});

export const contractTables: readonly Table<object>[] = [everyType, plain, cell, fact, entry];
