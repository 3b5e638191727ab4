import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { Connection } from '#infra/database/sqlite/connection.ts';
import { refuse } from '#infra/database/sqlite/field.ts';
import type { StoredRow } from '#infra/database/field.ts';
import { appendOnlyTable } from './ddl.ts';
import type { AppendOnlyTable } from './ddl.ts';
import { createIdentityIndex } from './identity-index.ts';
import type { IdentityIndex } from './identity-index.ts';
import { createOverlay } from './overlay.ts';
import type { Overlay } from './overlay.ts';
import { createPageCache } from './page-cache.ts';
import type { Page, PageCache } from './page-cache.ts';
import { decodeRowAt } from './page.ts';
import { rowOf } from './row.ts';
import type { Table } from '#infra/database/table.ts';

/** Everything one process holds of an append-only table. It is behind the file or level with it, never ahead. */
export interface Held {
  readonly of: AppendOnlyTable;
  readonly index: IdentityIndex;
  readonly overlay: Overlay;
  readonly pages: PageCache;
  /** The live ordinals that the index has. */
  first: number;
  next: number;
}

export function holdNothing(table: Table<object>): Held {
  const of = appendOnlyTable(table);
  return {
    of,
    index: createIdentityIndex(),
    overlay: createOverlay(of),
    pages: createPageCache(),
    first: 0,
    next: 0,
  };
}

/** Characters above 255 need no look here: such an identity is found nowhere, and no page takes it. */
export function identityOf({ key }: AppendOnlyTable, id: unknown): Hash128 {
  return typeof id === 'string' && id.length === HASH128_BYTES ? id : refuse(key, 'not a hash of 16 bytes');
}

/**
 * Takes in what was committed since the last look, by whatever process. Returns the ordinal that the connection's own state ends before: a
 * snapshot that was taken earlier ends before what is held.
 */
export function sync(held: Held, connection: Connection): number {
  const { of, index, overlay, pages } = held;
  const extent = connection.statement(`SELECT first, next, overridden FROM ${of.extent}`).get([]);
  if (extent === undefined)
    throw new StoreFailure(`table ${of.table.name}: its extent is missing; restore it from a backup`);
  const [first, next, overridden] = extent as [number, number, number];
  overlay.sync(connection, overridden);
  if (first > held.first) {
    held.first = first;
    held.next = Math.max(held.next, first);
    index.dropBelow(first);
    pages.dropBelow(first);
  }
  if (next > held.next) tail(held, connection, next);
  return next;
}

function tail(held: Held, connection: Connection, next: number): void {
  const { of, index } = held;
  // Only the first look has much to take in; asking for room walks through the whole index.
  if (held.next === held.first) index.reserve(next - held.next);
  const added = connection.iterate(
    `SELECT first, count, ids FROM ${of.pages} WHERE first >= ? ORDER BY first`,
    [held.next],
  );
  for (const [first, count, ids] of added as Iterable<[number, number, Uint8Array]>) {
    for (let i = 0; i < count; i++) index.addBytes(ids, HASH128_BYTES * i, first + i);
    held.next = first + count;
  }
  if (held.next !== next)
    throw new StoreFailure(`table ${of.table.name}: pages are missing; restore it from a backup`);
}

/** The row, through the override if it has been changed. */
export function find(
  held: Held,
  connection: Connection,
  id: Hash128,
  ordinalOf: OrdinalOf,
): StoredRow | undefined {
  const overridden = held.overlay.get(connection, id);
  if (overridden !== undefined) return overridden.row === 'deleted' ? undefined : overridden.row;
  const ordinal = ordinalOf(id);
  return ordinal < 0 ? undefined : baseRow(held, connection, ordinal, id);
}

/** Under which ordinal an identity's row was appended; below zero where none was. */
export type OrdinalOf = (id: Hash128) => number;

/**
 * Looks at the connection's own state, of which rows from the ordinal `next` on are no part. Made once for many identities: a function
 * for each would be garbage of its own.
 */
export function ordinalsBelow(held: Held, connection: Connection, next: number): OrdinalOf {
  const isThere = (ordinal: number, id: Hash128): boolean =>
    ordinal < next && isAt(held, connection, ordinal, id);
  return (id) => held.index.find(id, isThere);
}

function isAt(held: Held, connection: Connection, ordinal: number, id: Hash128): boolean {
  const { ids, first } = pageOf(held, connection, ordinal);
  const at = HASH128_BYTES * (ordinal - first);
  for (let i = 0; i < HASH128_BYTES; i++) if (ids[at + i] !== id.charCodeAt(i)) return false;
  return true;
}

/** The row as it was appended. */
export function baseRow(held: Held, connection: Connection, ordinal: number, id: Hash128): StoredRow {
  const page = pageOf(held, connection, ordinal);
  return rowOf(held.of, id, decodeRowAt(held.of.rest, page.rest, page.count, ordinal - page.first));
}

function pageOf(held: Held, connection: Connection, ordinal: number): Page {
  const known = held.pages.get(ordinal);
  if (known !== undefined) return known;
  const sql = `SELECT first, count, ids, rest FROM ${held.of.pages} WHERE first <= ? ORDER BY first DESC LIMIT 1`;
  const stored = connection.statement(sql).get([ordinal]);
  const [first, count, ids, rest] = (stored ?? [0, 0]) as [number, number, Uint8Array, Uint8Array];
  if (ordinal >= first + count)
    throw new StoreFailure(`table ${held.of.table.name}: row ${ordinal} has no page`);
  const page: Page = { first, count, ids, rest };
  held.pages.put(page);
  return page;
}
