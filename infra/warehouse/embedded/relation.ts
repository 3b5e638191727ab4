import { join } from 'node:path';
import { WarehouseTooNew } from '../errors.ts';
import type { SegmentRow } from '../segment.ts';
import { schemaVersionOf, type WarehouseColumn, type WarehouseTable } from '../tables.ts';
import { identifier, textLiteral } from './sql-text.ts';
import { DELIMITER, LINE_BYTES_MAX, NULL_MARK } from './text-format.ts';

/**
 * A column as the engine sees it. A hash is two unsigned 64-bit halves, which compare and sum many times faster than text; a time is
 * whole microseconds. `<column>_odd` says whether canonical JSON holds a number that a double may not print as it stands: a run of
 * digits too long for a double, or so small that it is printed with an exponent. It is computed once, at compaction.
 */
export interface StoredColumn {
  readonly name: string;
  readonly type: 'VARCHAR' | 'BIGINT' | 'UBIGINT' | 'BOOLEAN';
  readonly since: number;
  /** From a text segment's column, read as text. */
  readonly fromText: string;
}

const ODD_NUMBERS = '[0-9.]{17}|0\\.0000';

const half = ({ name, since }: WarehouseColumn, part: 'high' | 'low'): StoredColumn => ({
  name: `${name}_${part}`,
  type: 'UBIGINT',
  since,
  fromText: `CAST('0x' || substr(${identifier(name)}, ${part === 'high' ? 1 : 17}, 16) AS UBIGINT)`,
});

function storedColumns(column: WarehouseColumn): StoredColumn[] {
  const { name, since } = column;
  switch (column.type) {
    case 'hash':
      return [half(column, 'high'), half(column, 'low')];
    case 'time':
    case 'int64':
      return [{ name, type: 'BIGINT', since, fromText: identifier(name) }];
    case 'canonicalJson': {
      const odd = `coalesce(regexp_matches(${identifier(name)}, ${textLiteral(ODD_NUMBERS)}), false)`;
      return [
        { name, type: 'VARCHAR', since, fromText: identifier(name) },
        { name: `${name}_odd`, type: 'BOOLEAN', since, fromText: odd },
      ];
    }
    case 'text':
    case 'textList':
      return [{ name, type: 'VARCHAR', since, fromText: identifier(name) }];
  }
}

export const storedColumnsOf = (table: WarehouseTable): StoredColumn[] =>
  table.columns.flatMap(storedColumns);

/** The rows of these files, and of no others, as one SELECT. */
export function relationOf(
  table: WarehouseTable,
  segments: readonly SegmentRow[],
  directory: string,
): string {
  const kinds = Map.groupBy(segments, ({ format, schemaVersion }) => `${format} ${schemaVersion}`);
  const selects = [...kinds.values()].map((kind) => selectOf(table, kind, directory));
  return selects.length === 0 ? emptyRelation(table) : selects.join('\nUNION ALL ');
}

/** Files of one format and schema version. */
function selectOf(table: WarehouseTable, segments: readonly SegmentRow[], directory: string): string {
  const [{ format, schemaVersion } = { format: 'text', schemaVersion: 1 }] = segments;
  if (schemaVersion > schemaVersionOf(table)) {
    throw new WarehouseTooNew(
      `${table.name} has segments of schema version ${schemaVersion}, this release knows ${schemaVersionOf(table)}: upgrade it`,
    );
  }
  const files = `[${segments.map(({ file }) => textLiteral(join(directory, file))).join(', ')}]`;
  const present = storedColumnsOf(table).map(({ name, type, since, fromText }) => {
    if (since > schemaVersion) return `CAST(NULL AS ${type}) AS ${identifier(name)}`;
    return format === 'parquet' ? identifier(name) : `${fromText} AS ${identifier(name)}`;
  });
  const source = format === 'parquet' ? `read_parquet(${files})` : readText(table, schemaVersion, files);
  return `SELECT ${present.join(', ')} FROM ${source}`;
}

function readText(table: WarehouseTable, schemaVersion: number, files: string): string {
  const columns = table.columns
    .filter(({ since }) => since <= schemaVersion)
    .map(
      ({ name, type }) =>
        `${textLiteral(name)}: ${textLiteral(type === 'time' || type === 'int64' ? 'BIGINT' : 'VARCHAR')}`,
    );
  return (
    `read_csv(${files}, auto_detect = false, header = false, columns = {${columns.join(', ')}}, delim = ${textLiteral(DELIMITER)}, ` +
    `quote = '', escape = '', comment = '', new_line = '\\n', nullstr = ${textLiteral(NULL_MARK)}, max_line_size = ${LINE_BYTES_MAX})`
  );
}

const emptyRelation = (table: WarehouseTable): string =>
  `SELECT ${storedColumnsOf(table)
    .map(({ name, type }) => `CAST(NULL AS ${type}) AS ${identifier(name)}`)
    .join(', ')} WHERE false`;
