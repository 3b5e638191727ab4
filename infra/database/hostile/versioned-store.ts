import type { Instant } from '#domain/instant.ts';
import { StoreFailure } from '../errors.ts';
import type { Key, KeyRange, Table } from '../table.ts';
import { compareKeys, compareToRange } from '../key-order.ts';
import { keyOf } from './stored-row.ts';
import type { StoredRow } from './stored-row.ts';

/** A key as a Map key. */
type KeyId = string;
export const keyId = (key: Key): KeyId => JSON.stringify(key);

/** The state after so many commits; 0 is the empty store. */
export type Version = number;

/** What one commit did to one row: `undefined` is no row. */
export interface Change {
  readonly table: Table<object>;
  readonly key: Key;
  readonly before: StoredRow | undefined;
  readonly after: StoredRow | undefined;
}

interface Commit {
  readonly committedAt: Instant;
  readonly changes: readonly Change[];
}

interface Entry {
  readonly key: Key;
  /** Oldest first; never empty. */
  readonly history: { readonly version: Version; readonly row: StoredRow | undefined }[];
}

interface StoredTable {
  readonly entries: Map<KeyId, Entry>;
  /** The same entries in the order of their keys. */
  readonly ordered: Entry[];
}

/** Every version of every row, and the log of the commits that made them. */
export interface VersionedStore {
  readonly tables: ReadonlyMap<string, StoredTable>;
  readonly log: Commit[];
  /** No later commit may have this time or an earlier one: it is taken, or somebody has read as of it. */
  floor: Instant;
}

export function createStore(tables: readonly Table<object>[]): VersionedStore {
  const stored = new Map<string, StoredTable>();
  for (const { name } of tables) stored.set(name, { entries: new Map(), ordered: [] });
  return { tables: stored, log: [], floor: Number.MIN_SAFE_INTEGER };
}

function tableIn(store: VersionedStore, { name }: Table<object>): StoredTable {
  const table = store.tables.get(name);
  if (table === undefined) throw new StoreFailure(`the store was opened without the table ${name}`);
  return table;
}

export const newestVersion = (store: VersionedStore): Version => store.log.length;

/** When a version was made; before the first commit, earlier than any. */
export const committedAt = ({ log }: VersionedStore, version: Version): Instant =>
  log[version - 1]?.committedAt ?? Number.MIN_SAFE_INTEGER;

/** The version of a snapshot as of `at`; from now on no commit can get in before it. */
export function versionAt(store: VersionedStore, at: Instant): Version {
  store.floor = Math.max(store.floor, at);
  let [low, high] = [0, store.log.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((store.log[middle] as Commit).committedAt <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function rowAsOf({ history }: Entry, version: Version): StoredRow | undefined {
  for (let i = history.length - 1; i >= 0; i--) {
    const state = history[i];
    if (state !== undefined && state.version <= version) return state.row;
  }
  return undefined;
}

export function rowAt(
  store: VersionedStore,
  table: Table<object>,
  key: Key,
  version: Version,
): StoredRow | undefined {
  const entry = tableIn(store, table).entries.get(keyId(key));
  return entry && rowAsOf(entry, version);
}

/** The position of the first entry that `isBefore` is false for. */
function firstNot(entries: readonly Entry[], isBefore: (entry: Entry) => boolean): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(entries[middle] as Entry)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The columns that a range over the table, or over one of its indexes, speaks of: an index entry ends with the rest of the key. */
export function rangeColumns(table: Table<object>, index: string | undefined): readonly string[] {
  if (index === undefined) return table.key;
  const declared = table.indexes[index];
  if (declared === undefined) throw new StoreFailure(`${table.name} has no index ${index}`);
  return [...declared.columns, ...table.key.filter((name) => !declared.columns.includes(name))];
}

/** The rows of a range by the primary key, in its order. */
function rowsByKey(
  store: VersionedStore,
  table: Table<object>,
  range: KeyRange,
  version: Version,
): StoredRow[] {
  const { ordered } = tableIn(store, table);
  const rows: StoredRow[] = [];
  for (let i = firstNot(ordered, ({ key }) => compareToRange(key, range) < 0); i < ordered.length; i++) {
    const entry = ordered[i] as Entry;
    if (compareToRange(entry.key, range) > 0) break;
    const row = rowAsOf(entry, version);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

/** The rows of a range, in the order of the index, or of the primary key without one. */
export function rowsIn(
  store: VersionedStore,
  table: Table<object>,
  { index, ...range }: KeyRange & { readonly index?: string | undefined },
  version: Version,
): StoredRow[] {
  if (index === undefined) return rowsByKey(store, table, range, version);
  const columns = rangeColumns(table, index);
  // Simulations hold few rows: to sort them costs less than to keep every version of every index in order.
  return rowsByKey(store, table, { prefix: [] }, version)
    .map((row) => ({ row, key: keyOf(columns, row) }))
    .filter(({ key }) => compareToRange(key, range) === 0)
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ row }) => row);
}

function entryFor(table: StoredTable, key: Key): Entry {
  const id = keyId(key);
  const known = table.entries.get(id);
  if (known !== undefined) return known;
  const entry: Entry = { key, history: [] };
  table.entries.set(id, entry);
  table.ordered.splice(
    firstNot(table.ordered, (other) => compareKeys(other.key, key) < 0),
    0,
    entry,
  );
  return entry;
}

/** The next commit's time: the clock, but after everything that was ever committed or read as of. */
export const nextCommitTime = (store: VersionedStore, now: Instant): Instant =>
  Math.max(store.floor + 1, now);

/** Applies all changes of a commit at once. */
export function applyCommit(store: VersionedStore, commit: Commit): void {
  store.floor = commit.committedAt;
  store.log.push(commit);
  const version = newestVersion(store);
  for (const { table, key, after } of commit.changes) {
    entryFor(tableIn(store, table), key).history.push({ version, row: after });
  }
}

/** What was committed after a version, oldest first. */
export function* changesSince(store: VersionedStore, version: Version): Generator<Change> {
  for (let i = version; i < store.log.length; i++) yield* (store.log[i] as Commit).changes;
}
