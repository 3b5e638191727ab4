import type { Instant } from '#domain/instant.ts';
import { AlreadyExists, NotFound } from '../errors.ts';
import type { Key, Table } from '../table.ts';
import { compareKeys } from '../key-order.ts';
import { keyOf, withCommitTime } from './stored-row.ts';
import type { StoredRow } from './stored-row.ts';
import { keyId, newestVersion, rowAt, rowsIn } from './versioned-store.ts';
import type { Change, VersionedStore } from './versioned-store.ts';

/** A buffered write; its row is checked and copied when it is buffered. */
export type Write =
  | { readonly kind: 'insert' | 'update' | 'upsert'; readonly table: Table<object>; readonly row: StoredRow }
  | { readonly kind: 'delete'; readonly table: Table<object>; readonly key: Key };

const describe = (table: Table<object>, key: Key): string => `${table.name} ${keyId(key).slice(0, 200)}`;

/** The row after the write, given the row before it. */
function rowAfter(write: Write, key: Key, before: StoredRow | undefined): StoredRow | undefined {
  switch (write.kind) {
    case 'insert':
      if (before !== undefined) throw new AlreadyExists(`${describe(write.table, key)} exists already`);
      return write.row;
    case 'update':
      if (before === undefined)
        throw new NotFound(`${describe(write.table, key)} is not there to be updated`);
      return { ...before, ...write.row };
    case 'upsert':
      return write.row;
    case 'delete':
      return undefined;
  }
}

/** What the writes, in their order, do to the newest state. Several writes of one row are one change. */
export function planChanges(store: VersionedStore, writes: readonly Write[], committedAt: Instant): Change[] {
  const changes = new Map<string, Change>();
  const version = newestVersion(store);
  for (const write of writes) {
    const { table } = write;
    const stamped =
      write.kind === 'delete' ? write : { ...write, row: withCommitTime(table, write.row, committedAt) };
    const key = stamped.kind === 'delete' ? stamped.key : keyOf(table.key, stamped.row);
    const id = `${table.name}${keyId(key)}`;
    const earlier = changes.get(id);
    const before = earlier === undefined ? rowAt(store, table, key, version) : earlier.before;
    const after = rowAfter(stamped, key, earlier === undefined ? before : earlier.after);
    changes.set(id, { table, key, before, after });
  }
  return [...changes.values()];
}

const isRow = (change: Change, table: Table<object>, row: StoredRow): boolean =>
  change.table.name === table.name && compareKeys(change.key, keyOf(table.key, row)) === 0;

function checkUniqueIndex(
  store: VersionedStore,
  changes: readonly Change[],
  change: Change,
  index: string,
): void {
  const { table, before, after } = change;
  const columns = table.indexes[index]?.columns ?? [];
  if (after === undefined) return;
  const indexKey = keyOf(columns, after);
  if (indexKey.includes(null)) return;
  const holdsKey = (row: StoredRow | undefined): boolean =>
    row !== undefined && compareKeys(keyOf(columns, row), indexKey) === 0;
  if (holdsKey(before)) return;
  const untouched = rowsIn(store, table, { index, prefix: indexKey }, newestVersion(store)).filter(
    (row) => !changes.some((other) => isRow(other, table, row)),
  );
  const others = changes.filter((other) => other !== change && other.table.name === table.name);
  if (untouched.length === 0 && !others.some((other) => holdsKey(other.after))) return;
  throw new AlreadyExists(`${describe(table, indexKey)} exists already in the index ${index}`);
}

/** Refuses a second row under one key of a unique index, as the state would be after all changes. A key with a null in it is nobody's. */
export function checkUniqueIndexes(store: VersionedStore, changes: readonly Change[]): void {
  for (const change of changes) {
    for (const [index, { unique }] of Object.entries(change.table.indexes)) {
      if (unique === true) checkUniqueIndex(store, changes, change, index);
    }
  }
}
