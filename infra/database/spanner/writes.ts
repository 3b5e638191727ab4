import type { protos } from '@google-cloud/spanner';
import { MUTATIONS_PER_COMMIT_MAX } from '#domain/limits.ts';
import { NotFound, RefusedValue, StoreFailure } from '../errors.ts';
import { mutationsOf } from '../mutation-count.ts';
import type { Key, KeyPart } from '../table.ts';
import { fieldNamed } from '#infra/database/field.ts';
import { encodeValue } from './field.ts';
import type { Field, StoredRow } from '#infra/database/field.ts';
import type { WireValue } from './field.ts';
import { encodeKey, keyOfRow, shardOfKey } from './layout.ts';
import type { Layout } from './layout.ts';
import { SHARD_COLUMN } from './shard.ts';

export type Mutation = protos.google.spanner.v1.Mutation;

/** A write that waits for the commit. */
export type Write =
  | { readonly kind: 'insert' | 'update' | 'upsert'; readonly layout: Layout; readonly row: StoredRow }
  | { readonly kind: 'delete'; readonly layout: Layout; readonly key: Key };

/** Bytes of a key of a table or an index. Spanner's own limit: a longer one can never be stored. */
const KEY_BYTES_MAX = 8_192;
/** UTF-8 takes at most so many bytes for one unit of UTF-16. */
const BYTES_PER_UNIT_MAX = 3;
/** A number, a time or a hash in a key, at most. */
const OTHER_PART_BYTES = 16;
const KEY_SHOWN_CHARS = 200;

/**
 * The mutations that do what the writes say, in their order within each table. Throws `RefusedValue` for a value that Spanner would
 * never take, and `StoreFailure` where the writes together are more than a commit may hold.
 */
export function toMutations(writes: readonly Write[]): Mutation[] {
  checkCount(writes);
  const groups = new Map<Layout, Group[]>();
  for (const write of writes) add(groups, write);
  return [...groups.values()].flat().map(toMutation);
}

function checkCount(writes: readonly Write[]): void {
  const count = writes.reduce((sum, write) => sum + mutationsOf({ ...write, table: write.layout.table }), 0);
  if (count <= MUTATIONS_PER_COMMIT_MAX) return;
  throw new StoreFailure(
    `a transaction of ${count} mutations, of at most ${MUTATIONS_PER_COMMIT_MAX}: its work has to be done in parts`,
  );
}

/**
 * The update of a row that the same transaction has deleted before. Spanner calls that a malformed request; to the caller the row is not
 * there.
 */
export function updateOfDeleted(writes: readonly Write[]): NotFound | undefined {
  const deleted = new Set<string>();
  for (const write of writes) {
    const { layout, kind } = write;
    const name = `${layout.table.name} ${JSON.stringify(kind === 'delete' ? write.key : keyOfRow(layout, write.row))}`;
    if (kind === 'delete') deleted.add(name);
    else if (kind !== 'update') deleted.delete(name);
    else if (deleted.has(name))
      return new NotFound(`update of ${name.slice(0, KEY_SHOWN_CHARS)}: the same transaction deletes it`);
  }
  return undefined;
}

/** Writes of one kind to one table that follow each other, and write the same columns. */
interface Group {
  readonly kind: Write['kind'];
  readonly layout: Layout;
  readonly columns: readonly string[];
  readonly values: WireValue[][];
}

function add(groups: Map<Layout, Group[]>, write: Write): void {
  const { kind, layout } = write;
  const columns = columnsOf(write);
  const values = write.kind === 'delete' ? encodeKey(layout, write.key) : rowValues(write, columns);
  const of = groups.get(layout) ?? [];
  groups.set(layout, of);
  const last = of.at(-1);
  if (last?.kind === kind && isSame(last.columns, columns)) last.values.push(values);
  else of.push({ kind, layout, columns, values: [values] });
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((name, i) => name === b[i]));

/** All columns of a whole row; of an update those that it names. */
function columnsOf(write: Write): readonly string[] {
  if (write.kind === 'delete') return [];
  const { layout, row, kind } = write;
  if (kind !== 'update') return layout.names;
  const named = Object.keys(row).filter((name) => row[name] !== undefined);
  return [...layout.table.key, ...named.filter((name) => !layout.table.key.includes(name))];
}

function rowValues(
  { layout, row, kind }: Extract<Write, { row: StoredRow }>,
  columns: readonly string[],
): WireValue[] {
  const fields = kind === 'update' ? fieldsNamed(layout, columns) : layout.fields;
  const values = fields.map((field) => encodeValue(field, row[field.name]));
  checkKeys(layout, row);
  const shard = shardOfKey(layout, keyOfRow(layout, row));
  return shard === undefined ? values : [{ stringValue: String(shard) }, ...values];
}

const fieldsNamed = ({ fields, table }: Layout, names: readonly string[]): Field[] =>
  names.map((name) => fieldNamed(fields, name, table.name));

/** The keys of the row in its table and in each index whose columns are all known. */
function checkKeys({ table }: Layout, row: StoredRow): void {
  checkKey(table.name, row, table.key);
  for (const { columns } of Object.values(table.indexes)) {
    if (columns.every((name) => row[name] !== undefined))
      checkKey(table.name, row, [...columns, ...table.key]);
  }
}

function checkKey(table: string, row: StoredRow, names: readonly string[]): void {
  const parts = names.map((name) => row[name] as KeyPart);
  const most = parts.reduce<number>((sum, part) => sum + mostBytes(part), 0);
  if (most <= KEY_BYTES_MAX) return;
  const bytes = parts.reduce<number>((sum, part) => sum + bytesOf(part), 0);
  if (bytes > KEY_BYTES_MAX)
    throw new RefusedValue(`${table}: a key (${names.join(', ')}) of more than ${KEY_BYTES_MAX} bytes`);
}

const mostBytes = (part: KeyPart): number =>
  typeof part === 'string' ? part.length * BYTES_PER_UNIT_MAX : OTHER_PART_BYTES;
const bytesOf = (part: KeyPart): number =>
  typeof part === 'string' ? Buffer.byteLength(part, 'utf8') : OTHER_PART_BYTES;

const OPERATIONS = { insert: 'insert', update: 'update', upsert: 'insertOrUpdate' } as const;

function toMutation({ kind, layout, columns, values }: Group): Mutation {
  const { name: table, spread } = layout.table;
  const lists = values.map((list) => ({ values: list }));
  const all = spread === undefined ? columns : [SHARD_COLUMN, ...columns];
  const mutation: object =
    kind === 'delete'
      ? { delete: { table, keySet: { keys: lists } } }
      : { [OPERATIONS[kind]]: { table, columns: all, values: lists } };
  // The library's type is that of its own objects; it takes plain ones.
  return mutation as Mutation;
}
