import type { Instant } from '#domain/instant.ts';
import { HASH128_BYTES, toHex } from '#domain/metering/hash128.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { createIdentityPlaces } from '#domain/metering/identity-places.ts';
import type { IdentityPlaces } from '#domain/metering/identity-places.ts';
import { AlreadyExists, NotFound, StoreFailure } from '#infra/database/errors.ts';
import type { Connection } from '#infra/database/sqlite/connection.ts';
import type { StoredRow } from '#infra/database/field.ts';
import type { Mutation } from '#infra/database/sqlite/table-store.ts';
import { baseRow, identityOf, ordinalsBelow } from './held.ts';
import type { Held, OrdinalOf } from './held.ts';
import { MAX_LIVE_ROWS } from './identity-index.ts';
import type { Page } from './page-cache.ts';
import { MAX_PAGE_ROWS, encodeIds, encodePage } from './page.ts';
import { newestOf } from './row.ts';

interface Commit {
  readonly connection: Connection;
  readonly committedAt: Instant;
}

const NO_BASE = -1;

/** Where the row of a key stands, seen from inside the transaction. `base` is the ordinal it was appended under. */
type Standing =
  | { readonly place: 'new' }
  | { readonly place: 'appended'; readonly row: StoredRow }
  | { readonly place: 'base'; readonly base: number }
  | { readonly place: 'overridden'; readonly base: number; readonly row: StoredRow | 'deleted' };

type Override = Extract<Standing, { place: 'overridden' }>;

/** What a transaction leaves: new rows are appended, rows that are there already are overridden. */
interface Outcome {
  /** Of every identity that the transaction writes. */
  readonly places: IdentityPlaces;
  /** New rows by the place of their identity; undefined where a row is there already, or gone again. */
  readonly appended: (StoredRow | undefined)[];
  readonly overridden: Map<Hash128, Override>;
  /** Of the rows before the transaction. */
  readonly ordinalOf: OrdinalOf;
}

const NEW: Standing = { place: 'new' };

/** The mutations count in their order, so that a later one sees what an earlier one of the same transaction did. */
export function applyMutations(held: Held, commit: Commit, mutations: readonly Mutation[]): () => void {
  const places = createIdentityPlaces(mutations.length);
  const ordinalOf = ordinalsBelow(held, commit.connection, held.next);
  const outcome: Outcome = { places, appended: [], overridden: new Map(), ordinalOf };
  for (let i = 0; i < mutations.length; i++) fold(held, commit.connection, outcome, mutations[i] as Mutation);
  const rows = outcome.appended.filter((row) => row !== undefined);
  const pages = appendPages(held, commit, rows);
  for (const [key, { base, row }] of outcome.overridden) {
    held.overlay.write(commit.connection, { key, base, row }, commit.committedAt);
  }
  moveExtent(held, commit, { rows: rows.length, overridden: outcome.overridden.size });
  return () => learn(held, commit, outcome, pages);
}

function fold(held: Held, connection: Connection, outcome: Outcome, mutation: Mutation): void {
  const { of } = held;
  const id = identityOf(of, mutation.kind === 'delete' ? mutation.key[0] : mutation.row[of.key.name]);
  const named: Named = { id, place: outcome.places.placeOf(id) };
  const standing = standingOf(held, connection, outcome, named);
  switch (mutation.kind) {
    case 'insert':
      if (!isAbsent(standing)) throw new AlreadyExists(`${of.table.name}: ${toHex(id)} exists already`);
      {
        put(outcome, named, standing, mutation.row);
        return;
      }
    case 'upsert': {
      put(outcome, named, standing, mutation.row);
      return;
    }
    case 'update': {
      put(outcome, named, standing, {
        ...presentRow(held, connection, id, standing),
        ...given(mutation.row),
      });
      return;
    }
    case 'delete':
      if (!isAbsent(standing)) put(outcome, named, standing, 'deleted');
  }
}

/** An identity with its place among those that the transaction writes. */
interface Named {
  readonly id: Hash128;
  readonly place: number;
}

function standingOf(held: Held, connection: Connection, outcome: Outcome, { id, place }: Named): Standing {
  const row = outcome.appended[place];
  if (row !== undefined) return { place: 'appended', row };
  const changed = outcome.overridden.get(id);
  if (changed !== undefined) return changed;
  const base = outcome.ordinalOf(id);
  const overridden = held.overlay.get(connection, id);
  if (overridden !== undefined) return { place: 'overridden', base, row: overridden.row };
  return base === NO_BASE ? NEW : { place: 'base', base };
}

const isAbsent = (standing: Standing): boolean =>
  standing.place === 'new' || (standing.place === 'overridden' && standing.row === 'deleted');

function presentRow(held: Held, connection: Connection, id: Hash128, standing: Standing): StoredRow {
  if (standing.place === 'base') return baseRow(held, connection, standing.base, id);
  if (standing.place === 'new' || standing.row === 'deleted') {
    throw new NotFound(`update of ${held.of.table.name}: there is no row ${toHex(id)}`);
  }
  return standing.row;
}

/** A property that is there but undefined names no column to change. */
const given = (row: StoredRow): StoredRow =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));

function put(outcome: Outcome, { id, place }: Named, standing: Standing, row: StoredRow | 'deleted'): void {
  const { appended } = outcome;
  // Places come one after the other, and none is left out: holes would make the list a slow one.
  while (appended.length <= place) appended.push(undefined);
  if (standing.place === 'base' || standing.place === 'overridden') {
    outcome.overridden.set(id, { place: 'overridden', base: standing.base, row });
  } else appended[place] = row === 'deleted' ? undefined : row;
}

function appendPages(held: Held, { connection, committedAt }: Commit, rows: readonly StoredRow[]): Page[] {
  const { of, first, next } = held;
  if (next + rows.length - first > MAX_LIVE_ROWS) {
    throw new StoreFailure(`table ${of.table.name}: no more than ${MAX_LIVE_ROWS} rows can live at once`);
  }
  const insert = connection.statement(
    `INSERT INTO ${of.pages} (first, count, newest, ids, rest) VALUES (?, ?, ?, ?, ?)`,
  );
  const pages: Page[] = [];
  for (let at = 0; at < rows.length; at += MAX_PAGE_ROWS) {
    const some = rows.slice(at, at + MAX_PAGE_ROWS);
    const ids = encodeIds(
      of.key,
      some.map((row) => row[of.key.name] as Hash128),
    );
    const page: Page = {
      first: next + at,
      count: some.length,
      ids,
      rest: encodePage(of.rest, some, committedAt),
    };
    insert.run([page.first, page.count, newestOf(of, some, committedAt), page.ids, page.rest]);
    pages.push(page);
  }
  return pages;
}

function moveExtent(
  held: Held,
  { connection, committedAt }: Commit,
  { rows, overridden }: { rows: number; overridden: number },
): void {
  const sql = `UPDATE ${held.of.extent} SET next = ?, overridden = max(overridden, ?)`;
  connection.statement(sql).run([held.next + rows, overridden > 0 ? committedAt : 0]);
}

function learn(held: Held, { committedAt }: Commit, { overridden }: Outcome, pages: readonly Page[]): void {
  let ordinal = held.next;
  for (const page of pages) {
    for (let i = 0; i < page.count; i++) held.index.addBytes(page.ids, HASH128_BYTES * i, ordinal++);
    held.pages.put(page);
  }
  if (overridden.size > 0) held.overlay.learn(overridden.keys(), committedAt);
  held.next = ordinal;
}
