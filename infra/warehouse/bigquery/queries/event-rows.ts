import { OUTCOMES } from '../../event-row.ts';
import {
  EVENT_ROWS_MAX,
  METERED_ROWS_MAX,
  readEventPage,
  type EventPage,
} from '../../questions/event-page.ts';
import type { WarehouseRow } from '../../warehouse.ts';
import { exactEventsSql } from '../exact-events-sql.ts';
import { eventFilter } from './event-filter.ts';
import type { NamedQuery, SqlRow } from './named-query.ts';
import { count, text, textOrNull, texts, time, timeOrNull } from './present.ts';
import { boundText, boundTime, type SqlParameters } from './sql-parameters.ts';
import { micros } from './windows.ts';

/** All of an event beside what the exact view carries anyway. */
const EVENT_COLUMNS = [
  'digest',
  'outcome',
  'id',
  'source',
  'type',
  'data',
  'attributes',
  'catalogue_version',
  'matched_meters',
];

const SELECTED = `identity, digest, outcome, namespace, id, source, type, subject, ${micros('time')} AS micros, attributes,
  ${micros('published_at')} AS published_micros, ${micros('committed_at')} AS committed_micros, catalogue_version, matched_meters`;

const presentEvent = (row: SqlRow): WarehouseRow => ({
  identity: text(row['identity']),
  digest: textOrNull(row['digest'] ?? null),
  outcome: text(row['outcome']),
  namespace: text(row['namespace']),
  id: text(row['id']),
  source: text(row['source']),
  type: text(row['type']),
  subject: text(row['subject']),
  time: time(row['micros']),
  data: textOrNull(row['data'] ?? null),
  attributes: textOrNull(row['attributes'] ?? null),
  published_at: timeOrNull(row['published_micros'] ?? null),
  committed_at: time(row['committed_micros']),
  catalogue_version: count(row['catalogue_version']),
  matched_meters: texts(row['matched_meters']),
});

/** A page as conditions on the exact events, or on all rows. */
interface Page {
  readonly limit: number | undefined;
  readonly conditions: readonly string[];
  readonly values: SqlParameters;
}

const AFTER = '(time > @afterTime OR (time = @afterTime AND identity > @afterIdentity))';

const pageOf = ({ limit, identity, after }: EventPage): Page => ({
  limit,
  conditions: [
    ...(identity === undefined ? [] : ['identity = @identity']),
    ...(after === undefined ? [] : [AFTER]),
  ],
  values: {
    ...(identity === undefined ? {} : { identity: boundText(identity) }),
    ...(after === undefined
      ? {}
      : { afterTime: boundTime(after.time), afterIdentity: boundText(after.identity) }),
  },
});

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;

/** Only exact events come in pages: a page could end between two copies of an event, and the next would then miss the second. */
function eventPage(source: 'all' | 'exact', data: string): NamedQuery {
  return (parameters, events) => {
    const filter = eventFilter(parameters);
    const page = pageOf(readEventPage(parameters, source === 'exact'));
    const { placed, chosen } = filter;
    const head =
      source === 'exact'
        ? `WITH ${exactEventsSql({ events, placed, chosen, columns: EVENT_COLUMNS })}\n`
        : '';
    const conditions = source === 'exact' ? page.conditions : [placed, chosen, ...page.conditions];
    return {
      sql: `${head}SELECT ${SELECTED}, ${data} AS data FROM ${source === 'exact' ? 'exact' : events}${where(conditions)}
ORDER BY time, identity, committed_at, published_at IS NULL, published_at`,
      parameters: { ...filter.values, ...page.values },
      rowsMax: EVENT_ROWS_MAX,
      limit: page.limit,
      present: presentEvent,
    };
  };
}

/** Every row as it was appended: all outcomes, all copies. */
export const eventsQuery = eventPage('all', 'data');
/** Each counted event once, ordered by (time, identity). */
export const eventsExact = eventPage('exact', 'data');
/** The same for browsing: `data` as a JSON value, which shows its numbers as a JSON tool would. */
export const eventsJson = eventPage('exact', "TO_JSON_STRING(PARSE_JSON(data, wide_number_mode => 'round'))");

const METERED_COLUMNS = ['digest', 'id', 'source', 'type', 'data', 'catalogue_version', 'matched_meters'];

/** What a meter reads of an event, and no more: such answers are long. */
const presentMetered = (row: SqlRow): WarehouseRow => ({
  identity: text(row['identity']),
  digest: text(row['digest']),
  id: text(row['id']),
  source: text(row['source']),
  type: text(row['type']),
  subject: text(row['subject']),
  time: time(row['micros']),
  data: text(row['data']),
  catalogue_version: count(row['catalogue_version']),
  matched_meters: texts(row['matched_meters']),
});

/**
 * The exact events that meters counted, ordered by (time, identity): in one go, or by pages. With `at` they are those that were counted
 * then, with the voids of then.
 */
export const meteredEvents: NamedQuery = (parameters, events) => {
  const { placed, chosen, values } = eventFilter(parameters);
  const page = pageOf(readEventPage(parameters, true));
  return {
    sql: `WITH ${exactEventsSql({ events, placed, chosen, columns: METERED_COLUMNS })}
SELECT identity, digest, id, source, type, subject, ${micros('time')} AS micros, data, catalogue_version, matched_meters
FROM exact${where(page.conditions)} ORDER BY time, identity`,
    parameters: { ...values, ...page.values },
    rowsMax: METERED_ROWS_MAX,
    limit: page.limit,
    present: presentMetered,
  };
};

/** How many rows there are of each outcome, copies and all. */
export const outcomes: NamedQuery = (parameters, events) => {
  const { placed, chosen, values } = eventFilter(parameters);
  return {
    sql: `SELECT outcome, COUNT(*) AS counted FROM ${events} WHERE ${placed} AND ${chosen} GROUP BY outcome ORDER BY outcome`,
    parameters: values,
    rowsMax: OUTCOMES.length,
    present: (row) => ({ outcome: text(row['outcome']), rows: count(row['counted']) }),
  };
};
