import {
  readUsageQuestion,
  USAGE_ROWS_MAX,
  type MemberPath,
  type UsageAggregation,
} from '../../questions/usage-question.ts';
import type { WarehouseRow, WarehouseValue } from '../../warehouse.ts';
import { exactEventsSql } from '../exact-events-sql.ts';
import { memberAccess, memberText, numberOf } from '../member-sql.ts';
import { eventFilter } from './event-filter.ts';
import type { NamedQuery, SqlValue } from './named-query.ts';
import { count, quantity, refuseWrong, text, time } from './present.ts';
import { boundText, type SqlParameters } from './sql-parameters.ts';
import { micros, windowStart } from './windows.ts';

interface Aggregate {
  /** SQL of the column that `value` is made from, and what it needs of an event: its value as text, or as a number. */
  readonly sql: string;
  readonly reads: 'nothing' | 'text' | 'number';
  value(aggregated: SqlValue | undefined): WarehouseValue;
}

const ofNumbers = (sql: string): Aggregate => ({
  sql: `CAST(${sql} AS STRING)`,
  reads: 'number',
  value: (aggregated) => quantity(aggregated),
});
const counted = (aggregated: SqlValue | undefined): string => String(count(aggregated));

const AGGREGATES: Readonly<Record<UsageAggregation, Aggregate>> = {
  count: { sql: 'COUNT(*)', reads: 'nothing', value: counted },
  sum: ofNumbers('SUM(number)'),
  min: ofNumbers('MIN(number)'),
  max: ofNumbers('MAX(number)'),
  // The quotient is the caller's, who knows the precision: `value` is the sum, `events` the divisor.
  average: ofNumbers('SUM(number)'),
  unique: { sql: 'COUNT(DISTINCT found)', reads: 'text', value: counted },
  latest: ofNumbers('ARRAY_AGG(number ORDER BY time DESC, identity DESC LIMIT 1)[SAFE_OFFSET(0)]'),
};

/** An event that a meter counted has a value: where there is none, the question is wrong, and null would hide it. */
const WRONG: Readonly<Record<Aggregate['reads'], string>> = {
  nothing: 'CAST(NULL AS STRING)',
  text: 'MIN(IF(found IS NULL, identity, NULL))',
  number: 'MIN(IF(number IS NULL, identity, NULL))',
};

/** A member of `data` with its path and renamings bound under this name. */
function boundMember(
  name: string,
  segments: MemberPath,
): { readonly sql: string; readonly values: SqlParameters } {
  const { path, renamed } = memberAccess(segments);
  return {
    sql: memberText({
      path: `@${name}`,
      renamed: renamed.map((_, index) => ({
        token: `@${name}Token${index}`,
        alias: `@${name}Alias${index}`,
      })),
    }),
    values: {
      [name]: boundText(path),
      ...Object.fromEntries(
        renamed.flatMap(({ token, alias }, index) => [
          [`${name}Token${index}`, boundText(token)],
          [`${name}Alias${index}`, boundText(alias)],
        ]),
      ),
    },
  };
}

/**
 * Usage by window, exactly: `aggregation` of the numbers at `value` over the exact events of the filter, by UTC `window`, by subject if
 * `bySubject`, by the values at `dimensions`. Only windows and groups with usage have a row. `value` is a decimal string.
 */
export const usageByWindow: NamedQuery = (parameters, events) => {
  const filter = eventFilter(parameters);
  const { aggregation, window, bySubject, dimensions, value } = readUsageQuestion(parameters);
  const { sql: aggregated, reads, value: present } = AGGREGATES[aggregation];
  const groups = dimensions.map((path, index) => ({
    ...boundMember(`dimension${index}`, path),
    name: `group_${index}`,
  }));
  const found = value === undefined ? undefined : boundMember('value', value);
  const keys = ['window_start', ...(bySubject ? ['subject'] : []), ...groups.map(({ name }) => name)];
  const columns = [
    `${windowStart(window)} AS window_start`,
    ...groups.map(({ sql, name }) => `IFNULL(${sql}, '') AS ${name}`),
    `${found?.sql ?? 'CAST(NULL AS STRING)'} AS found`,
  ];
  const number = reads === 'number' ? numberOf('found') : 'CAST(NULL AS BIGNUMERIC)';
  return {
    sql: `WITH ${exactEventsSql({ events, placed: filter.placed, chosen: filter.chosen, columns: ['data'] })},
valued AS (SELECT subject, time, identity, ${columns.join(', ')} FROM exact),
measured AS (SELECT *, ${number} AS number FROM valued)
SELECT ${[`${micros('window_start')} AS window_micros`, ...keys.slice(1)].join(', ')}, COUNT(*) AS events,
  ${aggregated} AS aggregated, ${WRONG[reads]} AS wrong
FROM measured GROUP BY ${keys.join(', ')} ORDER BY ${keys.join(', ')}`,
    parameters: {
      ...filter.values,
      ...found?.values,
      ...Object.fromEntries(groups.flatMap(({ values }) => Object.entries(values))),
    },
    rowsMax: USAGE_ROWS_MAX,
    present: (row): WarehouseRow => {
      refuseWrong(row);
      return {
        window_start: time(row['window_micros']),
        ...(bySubject ? { subject: text(row['subject']) } : {}),
        ...(groups.length > 0 ? { dimensions: groups.map(({ name }) => text(row[name])) } : {}),
        events: count(row['events']),
        value: present(row['aggregated']),
      };
    },
  };
};
