import { WarehouseLimitExceeded } from '../../errors.ts';
import { USAGE_AGGREGATIONS, memberPath, type UsageAggregation } from '../../questions/usage-question.ts';
import type { BigQueryPlace } from '../connection.ts';
import { memberAccess, memberText, numberOf } from '../member-sql.ts';
import { qualified } from '../qualified.ts';
import { textLiteral, type ViewDefinition } from './view.ts';

/** What the usage views need to know of a meter: a generation of it, and how it reads its value. */
export interface MeteredBy {
  readonly namespace: string;
  /** `key@generation`, as in `matched_meters`. */
  readonly label: string;
  readonly aggregation: string;
  /** A dotted path into `data`; a count has none. */
  readonly value?: string | undefined;
}

/** The text of a view is bounded by BigQuery to 256 KB; some hundred bytes a meter. */
export const VIEW_CHARACTERS_MAX = 250_000;

const WINDOWS = { usage_minute: 'MINUTE', usage_hour: 'HOUR', usage_day: 'DAY' } as const;

/**
 * Usage of every meter by UTC minute, hour and day, from the exact events. Made from the catalogue, since how a value is read is a
 * meter's own. Meters that the warehouse cannot aggregate (a time-weighted sum needs the level before) are left out. Throws
 * `WarehouseLimitExceeded` where there are too many for one view.
 */
export function usageViews(place: BigQueryPlace, meters: readonly MeteredBy[]): ViewDefinition[] {
  const known = meters.filter(isAggregated).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return Object.entries(WINDOWS).map(([name, part]) => {
    const sql = usageSql(qualified(place, 'events_exact'), part, known);
    if (sql.length > VIEW_CHARACTERS_MAX)
      throw new WarehouseLimitExceeded(
        `${known.length} meters make a view of ${sql.length} characters, the limit is ${VIEW_CHARACTERS_MAX}`,
      );
    return {
      name,
      description: `Usage of each meter by UTC ${part.toLowerCase()}, subject and namespace, from the exact events. Filter by day (required), namespace and subject.`,
      sql,
      fromCatalogue: true,
    };
  });
}

type Aggregated = MeteredBy & { readonly aggregation: UsageAggregation };

const isAggregated = (meter: MeteredBy): meter is Aggregated =>
  USAGE_AGGREGATIONS.some((aggregation) => aggregation === meter.aggregation);

/** No namespace and no label holds a space. */
const keyOf = ({ namespace, label }: MeteredBy): string => `${namespace} ${label}`;
const KEY = "CONCAT(namespace, ' ', meter)";

/** `CASE` by meter: those with the same answer share a branch. */
function byMeter(meters: readonly Aggregated[], answer: (meter: Aggregated) => string): string {
  const branches = [...Map.groupBy(meters, answer)].map(
    ([sql, alike]) =>
      `WHEN ${KEY} IN (${alike.map((meter) => textLiteral(keyOf(meter))).join(', ')}) THEN ${sql}`,
  );
  return branches.length === 0 ? 'CAST(NULL AS STRING)' : `CASE ${branches.join('\n    ')} END`;
}

function foundSql({ value }: Aggregated): string {
  if (value === undefined) return 'CAST(NULL AS STRING)';
  const { path, renamed } = memberAccess(memberPath(value));
  return memberText({
    path: textLiteral(path),
    renamed: renamed.map(({ token, alias }) => ({ token: textLiteral(token), alias: textLiteral(alias) })),
  });
}

/** A sum of some of the numbers would look like usage, so a value that is none is an error. */
const checked = (sql: string): string =>
  `IF(COUNTIF(number IS NULL) > 0, ERROR('an event has no number as its value'), ${sql})`;

const usageSql = (events: string, part: string, meters: readonly Aggregated[]): string => `WITH
counted AS (
  SELECT namespace, subject, day, time, identity, digest, meter, TIMESTAMP_TRUNC(time, ${part}) AS window_start,
    ${byMeter(meters, ({ aggregation }) => textLiteral(aggregation))} AS aggregation,
    ${byMeter(meters, foundSql)} AS found
  FROM ${events}, UNNEST(matched_meters) AS meter
),
measured AS (SELECT *, ${numberOf('found')} AS number FROM counted WHERE aggregation IS NOT NULL)
SELECT namespace, subject, day, meter, window_start, aggregation, COUNT(*) AS events,
  CASE aggregation
    WHEN 'count' THEN CAST(COUNT(*) AS BIGNUMERIC)
    WHEN 'unique' THEN CAST(COUNT(DISTINCT found) AS BIGNUMERIC)
    WHEN 'min' THEN ${checked('MIN(number)')}
    WHEN 'max' THEN ${checked('MAX(number)')}
    WHEN 'latest' THEN ${checked('ARRAY_AGG(number ORDER BY time DESC, identity DESC LIMIT 1)[SAFE_OFFSET(0)]')}
    ELSE ${checked('SUM(number)')}
  END AS value
FROM measured GROUP BY namespace, subject, day, meter, window_start, aggregation`;
