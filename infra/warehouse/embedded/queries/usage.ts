import { readUsageQuestion, USAGE_ROWS_MAX, type UsageAggregation } from '../../questions/usage-question.ts';
import { EVENTS } from '../../tables.ts';
import type { WarehouseRow, WarehouseValue } from '../../warehouse.ts';
import type { EngineRow } from '../engine.ts';
import { eventFilter, exactEvents } from './event-filter.ts';
import { fractionOf, jsonPath, plainNumber, unitsOf, valueText } from './json-value.ts';
import type { NamedQuery } from './named-query.ts';
import { boundText } from './bindings.ts';
import { count, quantity, scaledQuantity, text, texts, time } from './present.ts';
import { windowStart } from './windows.ts';

interface Aggregate {
  /** SQL of the columns that `value` is made from. */
  readonly sql: string;
  value(row: EngineRow): WarehouseValue;
}

/** 20 digits and 18 decimals fit as one integer of 38 digits; sums do not, and go by units and fractions. */
const SCALED = 'units * 1000000000000000000 + fraction';
const SUM: Aggregate = {
  sql: 'sum(units) AS units, sum(fraction) AS fractions',
  value: ({ units, fractions }) => quantity(units, fractions),
};
const scaledBy = (sql: string): Aggregate => ({
  sql: `${sql} AS scaled`,
  value: ({ scaled }) => scaledQuantity(scaled),
});

const AGGREGATES: Readonly<Record<UsageAggregation, Aggregate>> = {
  count: { sql: 'count(*) AS counted', value: ({ counted }) => String(count(counted)) },
  sum: SUM,
  min: scaledBy(`min(${SCALED})`),
  max: scaledBy(`max(${SCALED})`),
  // The quotient is the caller's, who knows the precision: `value` is the sum, `events` the divisor.
  average: SUM,
  unique: { sql: 'count(DISTINCT value_text) AS counted', value: ({ counted }) => String(count(counted)) },
  latest: scaledBy(`arg_max(${SCALED}, row(time, identity_high, identity_low))`),
};

const hexOf = (hash: string): string =>
  ['high', 'low'].map((half) => `lpad(lower(to_hex(${hash}_${half})), 16, '0')`).join(' || ');

/** An event that a meter counted has a value: where there is none, the question is wrong, and null would hide it. */
const REQUIRED_VALUE = `coalesce(found, error('no value in event ' || ${hexOf('identity')}))`;

/** How the value is read, in two steps so that each text is taken apart once. */
function valueSteps(aggregation: UsageAggregation): string {
  const value = aggregation === 'count' ? 'NULL' : REQUIRED_VALUE;
  const measured = aggregation === 'count' || aggregation === 'unique';
  return `valued AS (SELECT * EXCLUDE (found), ${value} AS value_text FROM exact),
plain AS (SELECT *, ${measured ? 'NULL' : plainNumber('value_text')} AS plain FROM valued),
measured AS (SELECT *, ${measured ? '0 AS units, 0 AS fraction' : `${unitsOf('plain')} AS units, ${fractionOf('plain')} AS fraction`} FROM plain)`;
}

/**
 * Usage by window, exactly: `aggregation` of the numbers at `value` over the exact events of the filter, by UTC `window`, by subject if
 * `bySubject`, by the values at `dimensions`. Only windows and groups with usage have a row. `value` is a decimal string.
 */
export const usageByWindow: NamedQuery = (parameters) => {
  const filter = eventFilter(parameters);
  const { aggregation, window, bySubject, ...question } = readUsageQuestion(parameters);
  const start = windowStart(window);
  const dimensions = question.dimensions.map(jsonPath);
  const value = question.value === undefined ? undefined : jsonPath(question.value);
  const aggregate = AGGREGATES[aggregation];
  const groups = dimensions.map((_, index) => `coalesce(${valueText(`$dimension${index}`)}, '')`);
  const keys = [
    'window_start',
    ...(bySubject ? ['subject'] : []),
    ...(dimensions.length > 0 ? ['dimensions'] : []),
  ].join(', ');
  const columns = `${start} AS window_start, [${groups.join(', ')}] AS dimensions, ${value === undefined ? 'NULL' : valueText('$value')} AS found`;
  const sql = `${exactEvents(filter, columns)},
${valueSteps(aggregation)}
SELECT ${keys}, count(*) AS events, ${aggregate.sql} FROM measured GROUP BY ${keys} ORDER BY ${keys}`;
  return {
    table: EVENTS.name,
    days: filter.days,
    sql,
    bindings: {
      ...filter.bindings,
      ...(value === undefined ? {} : { value: boundText(value) }),
      ...Object.fromEntries(dimensions.map((path, index) => [`dimension${index}`, boundText(path)])),
    },
    rowsMax: USAGE_ROWS_MAX,
    present: (row): WarehouseRow => ({
      window_start: time(row['window_start']),
      ...(bySubject ? { subject: text(row['subject']) } : {}),
      ...(dimensions.length > 0 ? { dimensions: texts(row['dimensions']) } : {}),
      events: count(row['events']),
      value: aggregate.value(row),
    }),
  };
};
