import { StoreFailure } from '#infra/database/errors.ts';
import type { Key, KeyPart, Table } from '#infra/database/table.ts';
import { fieldNamed, fieldsOf } from '#infra/database/field.ts';
import { encodeValue } from './field.ts';
import type { Field, StoredRow } from '#infra/database/field.ts';
import type { WireValue } from './field.ts';
import { SHARD_COLUMN, shardOf } from './shard.ts';

/** How a table lies on Spanner: its columns as declared, and a shard beside them where it is spread. */
export interface Layout {
  readonly table: Table<object>;
  /** Those that are declared, in their order: what reads ask for. */
  readonly fields: readonly Field[];
  readonly names: readonly string[];
  readonly keyFields: readonly Field[];
  /** Places in the key of the columns that spread the table; undefined where there is no shard. */
  readonly spreadBy: readonly number[] | undefined;
  /** Whether the key itself begins with the shard. */
  readonly keyIsSpread: boolean;
}

const known = new WeakMap<Table<object>, Layout>();

/** Throws `StoreFailure` for a declaration that cannot be laid out. */
export function layoutOf(table: Table<object>): Layout {
  let layout = known.get(table);
  if (layout === undefined) known.set(table, (layout = makeLayout(table)));
  return layout;
}

function makeLayout(table: Table<object>): Layout {
  const fields = fieldsOf(table);
  const keyFields = table.key.map((name) => fieldNamed(fields, name, table.name));
  for (const { name, type, nullable } of keyFields) {
    if (nullable) throw new StoreFailure(`table ${table.name}: key column ${name} must not be nullable`);
    if (type === 'bytes' || type === 'json')
      throw new StoreFailure(`table ${table.name}: ${name} cannot be a key`);
  }
  const names = fields.map(({ name }) => name);
  return {
    table,
    fields,
    names,
    keyFields,
    spreadBy: spreadBy(table),
    keyIsSpread: table.spread?.key === true,
  };
}

function spreadBy({ name, key, columns, indexes, spread, interleavedIn }: Table<object>) {
  if (spread === undefined) return undefined;
  const fail = (why: string): never => {
    throw new StoreFailure(`table ${name}: ${why}`);
  };
  if (SHARD_COLUMN in columns) fail(`a spread table cannot have a column ${SHARD_COLUMN} of its own`);
  if (interleavedIn !== undefined) fail('an interleaved table lies where its parent lies: spread that');
  for (const index of spread.indexes ?? [])
    if (!(index in indexes)) fail(`there is no index ${index} to be spread`);
  const places = spread.by.map((column) => key.indexOf(column));
  if (places.includes(-1)) fail('a table is spread by columns of its key');
  if (spread.key === true && places.some((place, i) => place !== i))
    fail('a key is spread by its beginning, so that what lies together stays together');
  return places;
}

export const isSpreadIndex = ({ table }: Layout, index: string): boolean =>
  table.spread?.indexes?.includes(index) === true;

/** Key columns as they lie on Spanner. */
export const physicalKey = ({ table, keyIsSpread }: Layout): readonly string[] =>
  keyIsSpread ? [SHARD_COLUMN, ...table.key] : table.key;

/** Index columns as they lie on Spanner. */
export const physicalIndex = (layout: Layout, index: string): readonly string[] => {
  const { columns = [] } = layout.table.indexes[index] ?? {};
  return isSpreadIndex(layout, index) ? [SHARD_COLUMN, ...columns] : columns;
};

/** The shard of a row by its key; undefined where the table has none. */
export const shardOfKey = ({ spreadBy: places }: Layout, key: Key): number | undefined =>
  places === undefined ? undefined : shardOf(places.map((place) => key[place] as KeyPart));

export const keyOfRow = ({ table }: Layout, row: StoredRow): Key =>
  table.key.map((name) => row[name]) as unknown as Key;

/** A whole key as Spanner has it, with its shard. */
export function encodeKey(layout: Layout, key: Key): WireValue[] {
  const { table, keyFields, keyIsSpread } = layout;
  if (key.length !== keyFields.length)
    throw new StoreFailure(`a key of ${table.name} has ${keyFields.length} parts, not ${key.length}`);
  const parts = keyFields.map((field, i) => encodeValue(field, key[i]));
  return keyIsSpread ? [{ stringValue: String(shardOfKey(layout, key)) }, ...parts] : parts;
}
