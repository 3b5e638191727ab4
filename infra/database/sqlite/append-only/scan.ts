import type { Hash128 } from '#domain/metering/hash128.ts';
import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import type { ScanOptions } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { KeyRange } from '#infra/database/table.ts';
import type { Connection } from '#infra/database/sqlite/connection.ts';
import { decodeHash, encodeValue } from '#infra/database/sqlite/field.ts';
import type { StoredRow } from '#infra/database/field.ts';
import { rangeFields } from '#infra/database/sqlite/scan-statement.ts';
import { baseRow } from './held.ts';
import type { Held } from './held.ts';

/** The rows lie in the order of their commits, so those of a range are sorted in memory; more than this are refused. */
export const MAX_SCANNED_ROWS = 1_000_000;

/** Where a row of the range is found: under its ordinal, or in the override. */
type Found = readonly [id: Hash128, row: number | StoredRow];

/** Scans of random keys are for tests and repairs; nothing on the hot path asks for one. */
export function* scanInKeyOrder(
  held: Held,
  connection: Connection,
  range: KeyRange,
  options: Omit<ScanOptions, 'at'>,
): Generator<StoredRow, void> {
  if (options.index !== undefined)
    throw new StoreFailure(`table ${held.of.table.name} has no index ${options.index}`);
  const found = collect(held, connection, inRange(held, range));
  found.sort(([a], [b]) => (a < b ? -1 : 1));
  if (options.reverse === true) found.reverse();
  for (const [id, row] of found.slice(0, options.limit)) {
    yield typeof row === 'number' ? baseRow(held, connection, row, id) : row;
  }
}

function inRange({ of }: Held, range: KeyRange): (id: Hash128) => boolean {
  rangeFields(of.table, range, of.table.key);
  for (const part of [...range.prefix, range.from, range.to]) {
    if (part !== undefined && part !== null) encodeValue(of.key, part);
  }
  if (range.to === null || range.prefix[0] === null) return () => false;
  const exact = range.prefix[0] as Hash128 | undefined;
  const from = range.from as Hash128 | null | undefined;
  const to = range.to as Hash128 | undefined;
  return (id) =>
    (exact === undefined || id === exact) &&
    (from === undefined || from === null || id >= from) &&
    (to === undefined || id < to);
}

function collect({ of, overlay }: Held, connection: Connection, wanted: (id: Hash128) => boolean): Found[] {
  const found: Found[] = [];
  const changed = new Map<Hash128, StoredRow | 'deleted'>();
  for (const { key, row } of overlay.all(connection)) {
    changed.set(key, row);
    if (row !== 'deleted' && wanted(key)) found.push([key, row]);
  }
  const pages = connection.iterate(`SELECT first, count, ids FROM ${of.pages} ORDER BY first`, []);
  for (const [first, count, ids] of pages as Iterable<unknown> as Iterable<[number, number, Uint8Array]>) {
    const all = decodeHash(ids);
    for (let i = 0; i < count; i++) {
      const id = all.slice(i * HASH128_BYTES, (i + 1) * HASH128_BYTES);
      if (wanted(id) && !changed.has(id)) found.push([id, first + i]);
    }
    if (found.length > MAX_SCANNED_ROWS) {
      throw new StoreFailure(
        `table ${of.table.name}: more than ${MAX_SCANNED_ROWS} rows in one scan; narrow its range`,
      );
    }
  }
  return found;
}
