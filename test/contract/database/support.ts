import { hash } from 'node:crypto';
import { expect } from 'chai';
import type { Database } from '#infra/database/database.ts';
import { StoreError } from '#infra/database/errors.ts';
import type { StoreErrorKind } from '#infra/database/errors.ts';
import type { Table } from '#infra/database/table.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Row } from '#infra/usage/tables.ts';
import type { cell, entry, fact, plain } from './tables.ts';

export interface OpenedDatabase {
  readonly database: Database;
  /** Closes the database and opens the same store again, where a store outlives its process. */
  readonly reopen?: () => Promise<Database>;
  readonly close: () => Promise<void>;
}

export type OpenDatabase = (tables: readonly Table<object>[]) => Promise<OpenedDatabase>;

/** What one test works with; each has a store of its own. */
export type WithDatabase = (test: (opened: OpenedDatabase) => Promise<void>) => () => Promise<void>;

export const identity = (of: number | string): Hash128 => hash('sha256', String(of), 'binary').slice(0, 16);

export const plainRow = (name: string, more: Partial<Row<typeof plain>> = {}): Row<typeof plain> => ({
  namespace: 'default',
  name,
  state: 'open',
  rank: null,
  label: null,
  ...more,
});

export const cellRow = (
  subject: string,
  hour: number,
  more: Partial<Row<typeof cell>> = {},
): Row<typeof cell> => ({
  namespace: 'default',
  subject,
  hour,
  group: '',
  total: 1,
  note: null,
  ...more,
});

export const factRow = (of: number | string, more: Partial<Row<typeof fact>> = {}): Row<typeof fact> => ({
  identity: identity(of),
  digest: identity(`digest ${of}`),
  subject: 'acme',
  time: 1_772_323_200_000_000,
  committedAt: commitTimestamp,
  ...more,
});

export const entryRow = (
  id: string,
  part: number,
  more: Partial<Row<typeof entry>> = {},
): Row<typeof entry> => ({ namespace: 'default', id, part, state: 'open', at: null, ...more });

/** One transaction that writes the rows. */
export async function upsertAll<Shape extends object>(
  database: Database,
  table: Table<Shape>,
  rows: readonly Shape[],
): Promise<number> {
  const { committedAt } = await database.transact(async (tx) => rows.forEach((row) => tx.upsert(table, row)));
  return committedAt;
}

export async function collect<Shape>(rows: AsyncIterable<Shape>): Promise<Shape[]> {
  const all: Shape[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

/** The error that the promise is rejected with, which must be a StoreError of one of the kinds. */
export async function expectRejection(
  promise: Promise<unknown>,
  ...kinds: StoreErrorKind[]
): Promise<StoreError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(StoreError);
    expect((error as StoreError).kind, (error as StoreError).message).to.be.oneOf(kinds);
    return error as StoreError;
  }
  throw new Error(`expected ${kinds.join(' or ')}, but it was done`);
}
