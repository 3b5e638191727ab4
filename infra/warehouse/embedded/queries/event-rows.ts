import { EVENTS } from '../../tables.ts';
import type { WarehouseRow } from '../../warehouse.ts';
import {
  EVENT_ROWS_MAX,
  METERED_ROWS_MAX,
  readEventPage,
  type EventPage,
} from '../../questions/event-page.ts';
import type { Bindings, EngineRow } from '../engine.ts';
import { eventFilter, exactEvents } from './event-filter.ts';
import type { NamedQuery } from './named-query.ts';
import { boundInteger, boundText } from './bindings.ts';
import { count, hash, hashOrNull, text, textOrNull, texts, time, timeOrNull } from './present.ts';
import { OUTCOMES } from '../../event-row.ts';

const COLUMNS = `identity_high, identity_low, digest_high, digest_low, outcome, namespace, id, source, type, subject, time, attributes,
published_at, committed_at, catalogue_version, coalesce(from_json(matched_meters, '["VARCHAR"]'), []) AS matched_meters`;

/** All of an event beside what the exact view carries anyway. */
const EVENT_COLUMNS =
  'digest_high, digest_low, outcome, namespace, id, source, type, data, attributes, catalogue_version, matched_meters';

const presentEvent = (row: EngineRow): WarehouseRow => ({
  identity: hash(row['identity_high'], row['identity_low']),
  digest: hashOrNull(row['digest_high'], row['digest_low']),
  outcome: text(row['outcome']),
  namespace: text(row['namespace']),
  id: text(row['id']),
  source: text(row['source']),
  type: text(row['type']),
  subject: text(row['subject']),
  time: time(row['time']),
  data: textOrNull(row['data']),
  attributes: textOrNull(row['attributes']),
  published_at: timeOrNull(row['published_at']),
  committed_at: time(row['committed_at']),
  catalogue_version: count(row['catalogue_version']),
  matched_meters: texts(row['matched_meters']),
});

const METERED_COLUMNS = 'digest_high, digest_low, id, source, type, data, catalogue_version, matched_meters';

/** What a meter reads of an event, and no more: such answers are long. */
const presentMetered = (row: EngineRow): WarehouseRow => ({
  identity: hash(row['identity_high'], row['identity_low']),
  digest: hash(row['digest_high'], row['digest_low']),
  id: text(row['id']),
  source: text(row['source']),
  type: text(row['type']),
  subject: text(row['subject']),
  time: time(row['time']),
  data: text(row['data']),
  catalogue_version: count(row['catalogue_version']),
  matched_meters: metersIn(text(row['matched_meters'])),
});

const METER_LISTS_MAX = 10_000;
const meterLists = new Map<string, readonly string[]>();

/** Events of one kind have one list, which is read once and shared by their rows. */
function metersIn(json: string): readonly string[] {
  let meters = meterLists.get(json);
  if (meters === undefined) {
    meters = JSON.parse(json) as readonly string[];
    if (meterLists.size >= METER_LISTS_MAX) meterLists.clear();
    meterLists.set(json, meters);
  }
  return meters;
}

/**
 * The exact events that meters counted, ordered by (time, identity): in one go, or by pages. With `at` they are those that were counted
 * then, with the voids of then.
 */
export const meteredEvents: NamedQuery = (parameters) => {
  const filter = eventFilter(parameters);
  const page = pageOf(readEventPage(parameters, true));
  const select = `SELECT identity_high, identity_low, subject, time, digest_high, digest_low, id, source, type, data, catalogue_version,
coalesce(matched_meters, '[]') AS matched_meters FROM exact${where(page.conditions)} ORDER BY time, identity_high, identity_low`;
  return {
    table: EVENTS.name,
    days: filter.days,
    sql: `${exactEvents(filter, METERED_COLUMNS)}\n${select}`,
    bindings: { ...filter.bindings, ...page.bindings },
    rowsMax: METERED_ROWS_MAX,
    limit: page.limit,
    present: presentMetered,
  };
};

/** A page as conditions on the exact events, or on all rows. */
interface Page {
  readonly limit: number | undefined;
  readonly conditions: readonly string[];
  readonly bindings: Bindings;
}

const half = (name: string): string => `CAST('0x' || $${name} AS UBIGINT)`;
const HALF_DIGITS = 16;

const boundHash = (name: string, hex: string): Bindings => ({
  [`${name}High`]: boundText(hex.slice(0, HALF_DIGITS)),
  [`${name}Low`]: boundText(hex.slice(HALF_DIGITS)),
});

const AFTER = `(time, identity_high, identity_low) > ($afterTime, ${half('afterHigh')}, ${half('afterLow')})`;

function pageOf({ limit, identity, after }: EventPage): Page {
  return {
    limit,
    conditions: [
      ...(identity === undefined
        ? []
        : [`identity_high = ${half('identityHigh')} AND identity_low = ${half('identityLow')}`]),
      ...(after === undefined ? [] : [AFTER]),
    ],
    bindings: {
      ...(identity === undefined ? {} : boundHash('identity', identity)),
      ...(after === undefined
        ? {}
        : { afterTime: boundInteger(after.time), ...boundHash('after', after.identity) }),
    },
  };
}

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;

const ORDER = 'ORDER BY time, identity_high, identity_low, committed_at, published_at';

/** Only exact events come in pages: a page could end between two copies of an event, and the next would then miss the second. */
function eventPage(source: 'all' | 'exact', data: string): NamedQuery {
  return (parameters) => {
    const filter = eventFilter(parameters);
    const page = pageOf(readEventPage(parameters, source === 'exact'));
    const chosen = source === 'exact' ? page.conditions : [filter.placed, filter.chosen, ...page.conditions];
    const select = `SELECT ${COLUMNS}, ${data} AS data FROM ${source === 'exact' ? 'exact' : 'events'}${where(chosen)} ${ORDER}`;
    return {
      table: EVENTS.name,
      days: filter.days,
      sql: source === 'exact' ? `${exactEvents(filter, EVENT_COLUMNS)}\n${select}` : `\n${select}`,
      bindings: { ...filter.bindings, ...page.bindings },
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
/** The same for browsing: the engine reads `data` as JSON, which shows it as a JSON tool would. */
export const eventsJson = eventPage('exact', 'CAST(CAST(data AS JSON) AS VARCHAR)');

/** How many rows there are of each outcome, copies and all. */
export const outcomes: NamedQuery = (parameters) => {
  const filter = eventFilter(parameters);
  return {
    table: EVENTS.name,
    days: filter.days,
    sql: `\nSELECT outcome, count(*) AS counted FROM events WHERE ${filter.placed} AND ${filter.chosen} GROUP BY outcome ORDER BY outcome`,
    bindings: filter.bindings,
    rowsMax: OUTCOMES.length,
    present: (row) => ({ outcome: text(row['outcome']), rows: count(row['counted']) }),
  };
};
