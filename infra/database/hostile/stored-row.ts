import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import { RefusedValue, StoreFailure } from '../errors.ts';
import { commitTimestamp } from '../table.ts';
import type { Column, Key, KeyPart, Table } from '../table.ts';

/** A checked row that nobody outside the store can reach: bytes are copied, JSON documents are text. */
export type StoredRow = Readonly<Record<string, unknown>>;

/** How deep a JSON document may nest, so that a cycle is an error and not an overflowing stack. */
const JSON_DEPTH_MAX = 64;

function refuse(where: string, wanted: string, value: unknown): never {
  throw new RefusedValue(
    `${where} takes ${wanted}, not ${typeof value} ${Object.prototype.toString.call(value)}`,
  );
}

const isPlainObject = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** Only what comes back from JSON text as it went in. */
function checkJson(where: string, value: unknown, depth = 0): void {
  if (depth > JSON_DEPTH_MAX) refuse(where, `a document of at most ${JSON_DEPTH_MAX} levels`, value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (typeof value !== 'object') refuse(where, 'plain JSON', value);
  if (!Array.isArray(value) && !isPlainObject(value)) refuse(where, 'plain JSON', value);
  for (const [name, member] of Object.entries(value)) checkJson(`${where}.${name}`, member, depth + 1);
}

function checkNumber(where: string, value: unknown): number {
  if (!Number.isSafeInteger(value)) refuse(where, 'a safe integer', value);
  // A store knows no negative zero; adding zero drops the sign.
  return (value as number) + 0;
}

function checkString(where: string, value: unknown): string {
  if (typeof value !== 'string' || !value.isWellFormed()) refuse(where, 'a well-formed string', value);
  return value;
}

function checkHash(where: string, value: unknown): string {
  if (typeof value !== 'string' || value.length !== HASH128_BYTES)
    refuse(where, 'a hash of 16 characters', value);
  for (let i = 0; i < HASH128_BYTES; i++)
    if (value.charCodeAt(i) > 0xff) refuse(where, 'characters up to 255', value);
  return value;
}

function toStored(where: string, { type, nullable }: Column<unknown>, value: unknown): unknown {
  if (value === null && nullable) return null;
  switch (type) {
    case 'string':
      return checkString(where, value);
    case 'hash':
      return checkHash(where, value);
    case 'int64':
    case 'timestamp':
      return checkNumber(where, value);
    case 'bool':
      return typeof value === 'boolean' ? value : refuse(where, 'a boolean', value);
    case 'bytes':
      return value instanceof Uint8Array ? new Uint8Array(value) : refuse(where, 'bytes', value);
    case 'json':
      checkJson(where, value);
      return JSON.stringify(value);
  }
}

function columnOf(table: Table<object>, name: string): Column<unknown> {
  const column = table.columns[name];
  if (column === undefined) throw new StoreFailure(`${table.name} has no column ${name}`);
  return column;
}

/** Checks and copies the columns that are there; every column must have a value that its declaration allows. */
export function columnsToStored(table: Table<object>, row: object): StoredRow {
  const stored: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    stored[name] = toStored(`${table.name}.${name}`, columnOf(table, name), value);
  }
  for (const name of table.key)
    if (!(name in stored)) throw new StoreFailure(`${table.name}.${name} is a key column and missing`);
  return stored;
}

export function rowToStored(table: Table<object>, row: object): StoredRow {
  for (const name of Object.keys(table.columns)) {
    if (!Object.hasOwn(row, name)) throw new StoreFailure(`${table.name}.${name} is missing`);
  }
  return columnsToStored(table, row);
}

/** Puts the time of the commit where the row asks for it. */
export function withCommitTime(table: Table<object>, row: StoredRow, committedAt: number): StoredRow {
  const stamped = { ...row };
  for (const [name, value] of Object.entries(row)) {
    const column = columnOf(table, name);
    if (value !== commitTimestamp || column.type !== 'timestamp') continue;
    if (column.commitTime !== true)
      throw new StoreFailure(`${table.name}.${name} is not declared as the time of a commit`);
    stamped[name] = committedAt;
  }
  return stamped;
}

/** A copy for the caller, who may do with it what he likes. */
export function fromStored<Row extends object>(table: Table<Row>, stored: StoredRow): Row {
  const row: Record<string, unknown> = {};
  for (const [name, { type }] of Object.entries(table.columns)) {
    const value = stored[name];
    if (type === 'bytes' && value !== null) row[name] = new Uint8Array(value as Uint8Array);
    else row[name] = type === 'json' && value !== null ? JSON.parse(value as string) : value;
  }
  return row as Row;
}

export const keyOf = (columns: readonly string[], row: StoredRow): Key =>
  columns.map((name) => row[name] as KeyPart);

/** Checks the values of a key, or of the beginning of one, against the columns they stand for. */
export function checkKey(table: Table<object>, columns: readonly string[], key: Key): Key {
  if (key.length > columns.length)
    throw new StoreFailure(`a key of ${table.name} has ${columns.length} parts, not ${key.length}`);
  return key.map((part, i) => {
    const name = columns[i] as string;
    return toStored(`${table.name}.${name}`, columnOf(table, name), part) as KeyPart;
  });
}

export function checkWholeKey(table: Table<object>, key: Key): Key {
  if (key.length < table.key.length)
    throw new StoreFailure(`a key of ${table.name} has ${table.key.length} parts, not ${key.length}`);
  return checkKey(table, table.key, key);
}
