import type { protos } from '@google-cloud/spanner';
import type { ScanOptions } from '../database.ts';
import { StoreFailure } from '../errors.ts';
import type { ColumnType, KeyPart, KeyRange } from '../table.ts';
import { fieldNamed } from '#infra/database/field.ts';
import { encodeValue } from './field.ts';
import type { Field } from '#infra/database/field.ts';
import type { WireValue } from './field.ts';
import { isSpreadIndex } from './layout.ts';
import type { Layout } from './layout.ts';
import { indexName, isNullFiltered, quoted } from './names.ts';
import type { RowRequest } from './row-stream.ts';
import { SHARD_COLUMN, allShards, shardOf } from './shard.ts';

export type ScanBy = Omit<ScanOptions, 'at'>;

/** The requests of a scan, each in the same order: one, or one a shard, or none where nothing can be in the range. */
export interface ScanPlan {
  readonly requests: readonly RowRequest[];
  readonly order: readonly string[];
  readonly reverse: boolean;
  readonly limit: number | undefined;
}

/** What a scan is made of once its arguments have been checked. */
interface Scan {
  readonly layout: Layout;
  readonly range: KeyRange;
  readonly options: ScanBy;
  /** The columns that the range is over: those of the key or the index, and then the rest of the key. */
  readonly columns: readonly Field[];
}

/** Throws `StoreFailure` for a scan that the table does not allow, `RefusedValue` for a bound that its column cannot hold. */
export function planScan(layout: Layout, range: KeyRange, options: ScanBy): ScanPlan {
  const columns = scanColumns(layout, options.index).map((name) =>
    fieldNamed(layout.fields, name, layout.table.name),
  );
  const scan: Scan = { layout, range, options, columns };
  checkScan(scan);
  const { reverse = false, limit } = options;
  const requests = isEmpty(scan)
    ? []
    : shardsOf(scan).map((shard) => (isPlain(options) ? keyRequest(scan, shard) : sqlRequest(scan, shard)));
  return { requests, order: orderOf(scan), reverse, limit };
}

function scanColumns({ table }: Layout, index: string | undefined): readonly string[] {
  if (index === undefined) return table.key;
  const declared = table.indexes[index];
  if (declared === undefined) throw new StoreFailure(`table ${table.name} has no index ${index}`);
  return [...declared.columns, ...table.key.filter((name) => !declared.columns.includes(name))];
}

function checkScan({ layout: { table }, range, options, columns }: Scan): void {
  const bounded = range.from !== undefined || range.to !== undefined;
  if (range.prefix.length + Number(bounded) > columns.length) {
    const names = columns.map(({ name }) => name).join(', ');
    throw new StoreFailure(`table ${table.name}: a range of more parts than ${names}`);
  }
  const { partition, index, limit } = options;
  if (partition !== undefined && table.layout.kind !== 'partitioned')
    throw new StoreFailure(`table ${table.name} is not partitioned`);
  if (partition !== undefined && index !== undefined)
    throw new StoreFailure(`table ${table.name}: a scan goes by an index or by partition`);
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0))
    throw new StoreFailure(`a scan's limit is a whole number, not ${limit}`);
}

/** Nothing is null in a key; and nulls come first, so that nothing comes before one. */
function isEmpty({ range, options, columns }: Scan): boolean {
  if (options.limit === 0 || range.to === null) return true;
  return range.prefix.some((part, i) => part === null && columns[i]?.nullable !== true);
}

/** A plain range of the key needs no query: it costs Spanner less, and the emulator finds it without looking at all rows. */
const isPlain = ({ index, partition, reverse }: ScanBy): boolean =>
  index === undefined && partition === undefined && reverse !== true;

/** By partition first where it is asked for; the key breaks ties. */
function orderOf({ layout: { table }, options, columns }: Scan): string[] {
  const names = columns.map(({ name }) => name);
  if (options.partition === undefined || table.layout.kind !== 'partitioned') return names;
  const { by } = table.layout;
  return [by, ...names.filter((name) => name !== by)];
}

/** The shards that rows of the range can be in; undefined stands for a table or index without. */
function shardsOf({ layout, range, options: { index } }: Scan): (number | undefined)[] {
  const isSpread = index === undefined ? layout.keyIsSpread : isSpreadIndex(layout, index);
  if (!isSpread) return [undefined];
  const by = layout.spreadBy?.length ?? 0;
  // A key is spread by its beginning, so that a range within one shard is known by its prefix.
  if (index === undefined && range.prefix.length >= by) return [shardOf(range.prefix.slice(0, by))];
  return allShards();
}

const shardValue = (shard: number): WireValue => ({ stringValue: String(shard) });

/** A range from null begins where there is no bound below. */
const lowerBound = ({ from }: KeyRange): KeyPart | undefined => from ?? undefined;

function keyRequest({ layout, range, options, columns }: Scan, shard: number | undefined): RowRequest {
  const prefix = [
    ...(shard === undefined ? [] : [shardValue(shard)]),
    ...range.prefix.map((part, i) => encodeValue(columns[i] as Field, part)),
  ];
  const next = columns[range.prefix.length];
  const bound = (part: KeyPart | undefined): WireValue[] =>
    part === undefined ? prefix : [...prefix, encodeValue(next as Field, part)];
  const keyRange: protos.google.spanner.v1.IKeyRange = {
    startClosed: listOf(bound(lowerBound(range))),
    ...(range.to === undefined ? { endClosed: listOf(prefix) } : { endOpen: listOf(bound(range.to)) }),
  };
  const { limit } = options;
  return {
    kind: 'keys',
    table: layout.table.name,
    columns: layout.names,
    keySet: { ranges: [keyRange] },
    ...(limit === undefined ? {} : { limit }),
  };
}

const listOf = (values: readonly WireValue[]): object => ({ values });

const PARAMETER_TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'string',
  int64: 'int64',
  bool: 'bool',
  timestamp: 'timestamp',
  bytes: 'bytes',
  hash: 'bytes',
  json: 'string',
};

/** Collects the values of a query and says what stands for them in its text. */
function parameters() {
  const params: Record<string, WireValue> = {};
  const types: Record<string, { type: string }> = {};
  const add = (value: WireValue, type: string): string => {
    const name = `p${Object.keys(params).length}`;
    params[name] = value;
    types[name] = { type };
    return `@${name}`;
  };
  return {
    params,
    types,
    number: (value: number): string => add({ stringValue: String(value) }, 'int64'),
    part: (field: Field, part: KeyPart): string => add(encodeValue(field, part), PARAMETER_TYPES[field.type]),
  };
}
type Parameters = ReturnType<typeof parameters>;

function sqlRequest(scan: Scan, shard: number | undefined): RowRequest {
  const { layout, options } = scan;
  const values = parameters();
  const conditions = [
    ...(shard === undefined ? [] : [`${quoted(SHARD_COLUMN)} = ${values.number(shard)}`]),
    ...rangeConditions(scan, values),
    ...partitionConditions(scan, values),
  ];
  const direction = options.reverse === true ? ' DESC' : '';
  const sql = [
    `SELECT ${layout.names.map(quoted).join(', ')} FROM ${quoted(layout.table.name)}${hintOf(scan)}`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
    `ORDER BY ${orderOf(scan)
      .map((name) => quoted(name) + direction)
      .join(', ')}`,
    ...(options.limit === undefined ? [] : [`LIMIT ${values.number(options.limit)}`]),
  ].join(' ');
  return { kind: 'sql', sql, params: values.params, types: values.types };
}

function rangeConditions({ range, columns }: Scan, values: Parameters): string[] {
  const prefix = range.prefix.map((part, i) => {
    const field = columns[i] as Field;
    return part === null
      ? `${quoted(field.name)} IS NULL`
      : `${quoted(field.name)} = ${values.part(field, part)}`;
  });
  const next = columns[range.prefix.length];
  return next === undefined ? prefix : [...prefix, ...boundConditions(next, range, values)];
}

/** Nulls come first: they lie in every range that is open below. */
function boundConditions(field: Field, range: KeyRange, values: Parameters): string[] {
  const name = quoted(field.name);
  const from = lowerBound(range);
  const below = from === undefined ? [] : [`${name} >= ${values.part(field, from)}`];
  if (range.to === undefined || range.to === null) return below;
  const orNull = field.nullable && from === undefined ? ` OR ${name} IS NULL` : '';
  return [...below, `(${name} < ${values.part(field, range.to)}${orNull})`];
}

function partitionConditions(
  { layout: { table }, options: { partition } }: Scan,
  values: Parameters,
): string[] {
  if (partition === undefined || table.layout.kind !== 'partitioned') return [];
  const by = quoted(table.layout.by);
  return [`${by} >= ${values.number(partition.from)}`, `${by} < ${values.number(partition.to)}`];
}

/** Left to itself the optimizer may read all of a table by the key. */
function hintOf({ layout: { table }, range, options: { index }, columns }: Scan): string {
  if (index === undefined) return '';
  const force = `FORCE_INDEX=${quoted(indexName(table, index))}`;
  if (!isNullFiltered(table, index)) return `@{${force}}`;
  // Such an index lacks the rows with a null in it, so that it serves only where the range has none of them.
  const bound = range.prefix.length + (lowerBound(range) === undefined ? 0 : 1);
  const declared = table.indexes[index]?.columns ?? [];
  const serves = declared.every(
    (_, i) => columns[i]?.nullable !== true || (i < bound && range.prefix[i] !== null),
  );
  return serves ? `@{${force}, spanner_emulator.disable_query_null_filtered_index_check=true}` : '';
}
