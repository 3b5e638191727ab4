import type { WarehouseColumn, WarehouseTable } from '../tables.ts';
import { EVENTS } from '../tables.ts';
import { describeColumn, describeTable, VIEW_COLUMNS } from './descriptions.ts';
import { fieldsOf } from './table-schema.ts';
import { EXACT_COLUMNS } from './views/exact-events.ts';

/*
 * The tables and views as sources of dbt, made from their declarations. A test that reads `events` says which days, since the table takes
 * no query without.
 */

/** A value of YAML, as far as this document needs them. */
type Yaml = string | number | readonly Yaml[] | { readonly [key: string]: Yaml };

const RECENT_EVENTS = 'time >= timestamp_sub(current_timestamp(), interval 3 day)';
const RECENT_DAYS = 'day >= date_sub(current_date(), interval 3 day)';

const notNull = (where: string): Yaml => ({ not_null: { config: { where } } });

function testsOf({ nullable, oneOf, type }: WarehouseColumn, where: string): Yaml[] {
  return [
    // A list is never null in BigQuery.
    ...(nullable || type === 'textList' ? [] : [notNull(where)]),
    ...(oneOf === undefined ? [] : [{ accepted_values: { values: [...oneOf], config: { where } } }]),
  ];
}

const withTests = (tests: readonly Yaml[]): { readonly [key: string]: Yaml } =>
  tests.length === 0 ? {} : { tests };

function tableSource(table: WarehouseTable): Yaml {
  const fields = fieldsOf(table);
  return {
    name: table.name,
    description: describeTable(table),
    loaded_at_field: 'committed_at',
    freshness: {
      warn_after: { count: 1, period: 'hour' },
      error_after: { count: 6, period: 'hour' },
      filter: RECENT_EVENTS,
    },
    columns: table.columns.map((column, index) => ({
      name: column.name,
      description: describeColumn(table, column.name),
      data_type: dataType(fields[index]?.type ?? '', column),
      ...withTests(testsOf(column, RECENT_EVENTS)),
    })),
  };
}

const DATA_TYPES: Readonly<Record<string, string>> = {
  STRING: 'string',
  TIMESTAMP: 'timestamp',
  INTEGER: 'int64',
};

function dataType(type: string, column: WarehouseColumn): string {
  const one = DATA_TYPES[type] ?? type.toLowerCase();
  return column.type === 'textList' ? `array<${one}>` : one;
}

/** An identity may come again on another day, once its event row has expired; within days it is one event. */
const UNIQUE_IDENTITY: Yaml = {
  unique: { config: { where: 'day = date_sub(current_date(), interval 1 day)' } },
};

function exactSource(name: string, description: string, dataOf: string): Yaml {
  const declared = new Map(
    EVENTS.columns.map((column, index) => [column.name, { column, field: fieldsOf(EVENTS)[index] }]),
  );
  return {
    name,
    description,
    columns: EXACT_COLUMNS.map((column) => {
      const known = declared.get(column);
      if (known === undefined)
        return {
          name: column,
          description: VIEW_COLUMNS.day,
          data_type: 'date',
          tests: [notNull(RECENT_DAYS)],
        };
      const tests = testsOf(known.column, RECENT_DAYS);
      return {
        name: column,
        description: describeColumn(EVENTS, column),
        data_type: column === 'data' ? dataOf : dataType(known.field?.type ?? '', known.column),
        ...withTests(column === 'identity' ? [...tests, UNIQUE_IDENTITY] : tests),
      };
    }),
  };
}

const USAGE_TYPES = {
  namespace: 'string',
  subject: 'string',
  day: 'date',
  meter: 'string',
  window_start: 'timestamp',
  aggregation: 'string',
  events: 'int64',
  value: 'bignumeric',
} as const;

function usageSource(window: string): Yaml {
  return {
    name: `usage_${window}`,
    description: `Usage of each meter by subject and UTC ${window}, from the exact events.`,
    columns: Object.entries(USAGE_TYPES).map(([name, type]) => ({
      name,
      description: VIEW_COLUMNS[name as keyof typeof USAGE_TYPES],
      data_type: type,
      ...withTests(name === 'value' ? [] : [notNull(RECENT_DAYS)]),
    })),
  };
}

/** The document, ready to be formatted. */
export function dbtSources(): string {
  const document: Yaml = {
    version: 2,
    sources: [
      {
        name: 'millrace',
        description: 'Usage events of Millrace, and usage computed from them.',
        database: "{{ var('millrace_project', target.project) }}",
        schema: "{{ var('millrace_dataset', 'millrace') }}",
        tables: [
          tableSource(EVENTS),
          exactSource(
            'events_exact',
            'Each counted event once. Filter by day, namespace and subject: they decide what is read.',
            'string',
          ),
          exactSource(
            'events_json',
            'The exact events with data as JSON, for browsing; its numbers may be rounded.',
            'json',
          ),
          usageSource('minute'),
          usageSource('hour'),
          usageSource('day'),
        ],
      },
    ],
  };
  return `# Made from the declarations of the tables by \`npm run generate\`.\n${yamlOf(document, 0)}`;
}

const INDENT = '  ';

/** A mapping or list on lines of its own, each deeper by one step. */
function yamlOf(value: Yaml, depth: number): string {
  const pad = INDENT.repeat(depth);
  if (isList(value))
    return value
      .map((item) =>
        isScalar(item)
          ? `${pad}- ${scalar(item)}\n`
          : `${pad}- ${yamlOf(item, depth + 1).slice(INDENT.length * (depth + 1))}`,
      )
      .join('');
  if (isScalar(value)) return `${scalar(value)}\n`;
  return Object.entries(value)
    .map(([key, item]) =>
      isScalar(item) ? `${pad}${key}: ${scalar(item)}\n` : `${pad}${key}:\n${yamlOf(item, depth + 1)}`,
    )
    .join('');
}

const isList = (value: Yaml): value is readonly Yaml[] => Array.isArray(value);
const isScalar = (value: Yaml): value is string | number => typeof value !== 'object';
/** A string of JSON is one of YAML, and needs no thought about what a plain one may hold. */
const scalar = (value: string | number): string => JSON.stringify(value);
