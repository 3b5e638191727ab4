import type { ScanOptions } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { KeyPart, KeyRange, Table } from '#infra/database/table.ts';
import type { SqlValue } from './connection.ts';
import { encodeValue, fieldNamed, fieldsOf, quoted } from './field.ts';
import type { Field } from './field.ts';

export interface SqlQuery {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

type ScanBy = Omit<ScanOptions, 'at'>;

interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const NOTHING: Condition = { sql: '0', parameters: [] };

/** The columns a scan goes by: those of the index and then the rest of the key, as Spanner orders its index entries. */
function scanOrder(table: Table<object>, index: string | undefined): readonly string[] {
  if (index === undefined) return table.key;
  const declared = table.indexes[index];
  if (declared === undefined) throw new StoreFailure(`table ${table.name} has no index ${index}`);
  return [...declared.columns, ...table.key.filter((name) => !declared.columns.includes(name))];
}

const equals = (field: Field, part: KeyPart): Condition =>
  part === null
    ? { sql: `${quoted(field.name)} IS NULL`, parameters: [] }
    : { sql: `${quoted(field.name)} = ?`, parameters: [encodeValue(field, part)] };

/** Nulls sort first: they lie in every range that is open below, and a range from null is open below. */
function within(field: Field, from: KeyPart | undefined, to: KeyPart | undefined): Condition[] {
  const name = quoted(field.name);
  if (to === null) return [NOTHING];
  const below = from ?? undefined;
  const conditions: Condition[] = [];
  if (below !== undefined) conditions.push({ sql: `${name} >= ?`, parameters: [encodeValue(field, below)] });
  if (to !== undefined) {
    const orNull = field.nullable && below === undefined ? ` OR ${name} IS NULL` : '';
    conditions.push({ sql: `(${name} < ?${orNull})`, parameters: [encodeValue(field, to)] });
  }
  return conditions;
}

/** The fields a range names: one for each part of its prefix, and the one after. */
export function rangeFields(table: Table<object>, range: KeyRange, order: readonly string[]): Field[] {
  const fields = fieldsOf(table);
  const bounded = range.from !== undefined || range.to !== undefined;
  if (range.prefix.length + Number(bounded) > order.length) {
    throw new StoreFailure(`table ${table.name}: a range of more parts than ${order.join(', ')}`);
  }
  return order.slice(0, range.prefix.length + 1).map((name) => fieldNamed(fields, name, table.name));
}

/** One statement for any scan of a table of real columns. */
export function scanStatement(table: Table<object>, range: KeyRange, options: ScanBy): SqlQuery {
  const order = scanOrder(table, options.index);
  const fields = rangeFields(table, range, order);
  const prefix = range.prefix.map((part, i) => equals(fields[i] as Field, part));
  const next = fields[range.prefix.length];
  const bounds = next === undefined ? [] : within(next, range.from, range.to);
  const where = [...prefix, ...bounds];
  const direction = options.reverse === true ? ' DESC' : '';
  const by = order.map((name) => quoted(name) + direction).join(', ');
  const names = Object.keys(table.columns).map(quoted).join(', ');
  const limit: Condition =
    options.limit === undefined
      ? { sql: '', parameters: [] }
      : { sql: ' LIMIT ?', parameters: [options.limit] };
  const condition = where.length === 0 ? '' : ` WHERE ${where.map(({ sql }) => sql).join(' AND ')}`;
  return {
    sql: `SELECT ${names} FROM ${quoted(table.name)}${condition} ORDER BY ${by}${limit.sql}`,
    parameters: [...where.flatMap(({ parameters }) => parameters), ...limit.parameters],
  };
}
