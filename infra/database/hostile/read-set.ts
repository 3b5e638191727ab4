import type { Key, KeyRange, Table } from '../table.ts';
import { compareToRange } from '../key-order.ts';
import { keyOf } from './stored-row.ts';
import type { StoredRow } from './stored-row.ts';
import { changesSince, keyId } from './versioned-store.ts';
import type { Change, Version, VersionedStore } from './versioned-store.ts';

interface ScannedRange {
  readonly table: string;
  readonly columns: readonly string[];
  readonly range: KeyRange;
}

/** Everything a transaction has looked at, absent rows and gaps between rows included. */
export interface ReadSet {
  readonly keys: Map<string, Set<string>>;
  readonly ranges: ScannedRange[];
}

export const createReadSet = (): ReadSet => ({ keys: new Map(), ranges: [] });

export function recordKeys({ keys }: ReadSet, table: Table<object>, read: readonly Key[]): void {
  const known = keys.get(table.name) ?? new Set();
  keys.set(table.name, known);
  for (const key of read) known.add(keyId(key));
}

/** The whole range counts as read, even if the scan ends early: that aborts more than needed and never less. */
export function recordRange(
  { ranges }: ReadSet,
  table: Table<object>,
  columns: readonly string[],
  range: KeyRange,
): void {
  ranges.push({ table: table.name, columns, range });
}

const liesIn = ({ columns, range }: ScannedRange, row: StoredRow | undefined): boolean =>
  row !== undefined && compareToRange(keyOf(columns, row), range) === 0;

/** A row that left a range, entered it or changed inside it makes the scan of the range stale. */
const touchesRange = ({ ranges }: ReadSet, { table, before, after }: Change): boolean =>
  ranges.some(
    (scanned) => scanned.table === table.name && (liesIn(scanned, before) || liesIn(scanned, after)),
  );

/** Whether a later commit has changed anything that was read at `version`. */
export function isStale(readSet: ReadSet, store: VersionedStore, version: Version): boolean {
  for (const change of changesSince(store, version)) {
    if (readSet.keys.get(change.table.name)?.has(keyId(change.key)) || touchesRange(readSet, change))
      return true;
  }
  return false;
}
