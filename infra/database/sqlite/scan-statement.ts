import type { ScanOptions } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { KeyPart, KeyRange, Table } from '#infra/database/table.ts';
import type { SqlValue } from './connection.ts';
import { indexName } from './ddl.ts';
import { fieldNamed, fieldsOf } from '#infra/database/field.ts';
import { encodeValue, quoted } from './field.ts';
import type { Field } from '#infra/database/field.ts';

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
  const bounded = range.from !== undefined || range.to !== undefined;
  if (range.prefix.length + Number(bounded) > order.length) {
    throw new StoreFailure(`table ${table.name}: a range of more parts than ${order.join(', ')}`);
  }
  const fields = knownFields(table);
  return order.slice(0, range.prefix.length + 1).map((name) => fieldNamed(fields, name, table.name));
}

const fieldsKnown = new WeakMap<Table<object>, readonly Field[]>();

function knownFields(table: Table<object>): readonly Field[] {
  let fields = fieldsKnown.get(table);
  if (fields === undefined) fieldsKnown.set(table, (fields = fieldsOf(table)));
  return fields;
}

/** What all scans of a table by one order have in common. */
interface ScanOrder {
  readonly columns: readonly string[];
  readonly select: string;
  readonly orderBy: string;
}

const ordersKnown = new WeakMap<Table<object>, Map<string, ScanOrder>>();

/** Scans are many and mostly short: their texts would take as long as some rows. */
function knownOrder(table: Table<object>, options: ScanBy): ScanOrder {
  let orders = ordersKnown.get(table);
  if (orders === undefined) ordersKnown.set(table, (orders = new Map<string, ScanOrder>()));
  const { index, reverse = false } = options;
  const name = `${index ?? ''} ${reverse}`;
  let order = orders.get(name);
  if (order === undefined) orders.set(name, (order = makeOrder(table, { index, reverse })));
  return order;
}

function makeOrder(
  table: Table<object>,
  { index, reverse }: { readonly index: string | undefined; readonly reverse: boolean },
): ScanOrder {
  const columns = scanOrder(table, index);
  const names = Object.keys(table.columns).map(quoted).join(', ');
  // Left to itself, the planner may read all of a namespace by the key, since that gives the order too.
  const through = index === undefined ? '' : ` INDEXED BY ${quoted(indexName(table, index))}`;
  const by = columns.map((name) => quoted(name) + (reverse ? ' DESC' : '')).join(', ');
  return {
    columns,
    select: `SELECT ${names} FROM ${quoted(table.name)}${through}`,
    orderBy: ` ORDER BY ${by}`,
  };
}

/** One statement for any scan of a table of real columns. */
export function scanStatement(table: Table<object>, range: KeyRange, options: ScanBy): SqlQuery {
  const { columns, select, orderBy } = knownOrder(table, options);
  const fields = rangeFields(table, range, columns);
  const prefix = range.prefix.map((part, i) => equals(fields[i] as Field, part));
  const next = fields[range.prefix.length];
  const bounds = next === undefined ? [] : within(next, range.from, range.to);
  const where = [...prefix, ...bounds];
  const limit: Condition =
    options.limit === undefined
      ? { sql: '', parameters: [] }
      : { sql: ' LIMIT ?', parameters: [options.limit] };
  const condition = where.length === 0 ? '' : ` WHERE ${where.map(({ sql }) => sql).join(' AND ')}`;
  return {
    sql: `${select}${condition}${orderBy}${limit.sql}`,
    parameters: [...where.flatMap(({ parameters }) => parameters), ...limit.parameters],
  };
}
