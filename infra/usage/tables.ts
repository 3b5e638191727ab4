import {
  commitTime,
  nullableCommitTime,
  column,
  defineTable,
  jsonColumn,
  nullable,
} from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';

/** What a table's row looks like. */
export type Row<Declared> = Declared extends Table<infer Shape> ? Shape : never;

/** Event rows live for the horizon, the topic's retention and a day: no copy can still arrive when the row goes. */
export const EVENT_ROW_DAYS = 53;
export const HOUR_CELL_DAYS = 400;

/** One row an event, under its identity: the whole exactly-once argument rests on it. */
export const event = defineTable('event', {
  columns: {
    identity: column('hash'),
    /** Null only in a void that came before its event. */
    digest: nullable('hash'),
    namespace: column('string'),
    type: column('string'),
    subject: column('string'),
    time: column('timestamp'),
    state: column('string'),
    catalogueVersion: column('int64'),
    committedAt: commitTime(),
  },
  key: ['identity'],
  timeToLive: { column: 'committedAt', days: EVENT_ROW_DAYS, unit: 'micros' },
  layout: { kind: 'appendOnly' },
});

/** A copy of an event that says something else: the first commit counts, this is the record of the other. */
export const conflict = defineTable('conflict', {
  columns: {
    identity: column('hash'),
    digest: column('hash'),
    namespace: column('string'),
    subject: column('string'),
    type: column('string'),
    time: column('timestamp'),
    publishTime: column('timestamp'),
    receivedAt: column('timestamp'),
  },
  key: ['identity', 'digest'],
});

/**
 * The slot of hour cells that backfills write, beside those of writers of the stream: it holds the events that were committed before the
 * meter's version was there, and no others, so that it can be written anew at any time.
 */
export const BACKFILL_SLOT = 1_000;

export const usageHour = defineTable('usage_hour', {
  columns: {
    namespace: column('string'),
    subject: column('string'),
    meter: column('string'),
    generation: column('int64'),
    /** 0 is the total, 1 holds the groups. */
    view: column('int64'),
    /** Whole hours since the epoch. */
    hour: column('int64'),
    group: column('string'),
    slot: column('int64'),
    totals: column('bytes'),
    minutes: column('bytes'),
    fingerprint: column('hash'),
    dirty: column('bool'),
  },
  key: ['namespace', 'subject', 'meter', 'generation', 'view', 'hour', 'group', 'slot'],
  timeToLive: { column: 'hour', days: HOUR_CELL_DAYS, unit: 'hours' },
  layout: { kind: 'partitioned', by: 'hour' },
});

export const usageDay = defineTable('usage_day', {
  columns: {
    namespace: column('string'),
    subject: column('string'),
    meter: column('string'),
    generation: column('int64'),
    view: column('int64'),
    /** Whole UTC days since the epoch. */
    day: column('int64'),
    group: column('string'),
    totals: column('bytes'),
    fingerprint: column('hash'),
    carry: column('bytes'),
    dirty: column('bool'),
  },
  key: ['namespace', 'subject', 'meter', 'generation', 'view', 'day', 'group'],
});

const DISTINCT_VALUES = {
  columns: {
    namespace: column('string'),
    subject: column('string'),
    meter: column('string'),
    generation: column('int64'),
    day: column('int64'),
    group: column('string'),
    valueHash: column('hash'),
    references: column('int64'),
    minutes: column('bytes'),
  },
  key: ['namespace', 'subject', 'meter', 'generation', 'day', 'group', 'valueHash'] as const,
  timeToLive: { column: 'day', days: HOUR_CELL_DAYS, unit: 'days' },
  layout: { kind: 'partitioned', by: 'day' },
} as const;

export const distinctValue = defineTable('distinct_value', DISTINCT_VALUES);

/** Of the events in the backfill's slot what `distinct_value` holds of the stream's: a value may be in both. */
export const backfilledValue = defineTable('backfilled_value', DISTINCT_VALUES);

/** A correction that another one followed; its replacement in hex. */
export interface EarlierCorrection {
  readonly correction: string | null;
  readonly replacement: string | null;
}

/** The last correction of each event that was ever corrected: what undoes a correction, and nothing else, goes by it. */
export const correctedEvent = defineTable('corrected_event', {
  columns: {
    namespace: column('string'),
    identity: column('hash'),
    /** What the event is since then: `void` or `live`. */
    state: column('string'),
    /** The correction that did it; null when it was corrected by its name. */
    correction: nullable('string'),
    /** By an amendment: the event that took its place. */
    replacement: nullable('hash'),
    /** What corrected it before, the latest last: it is the last again when the one after it is undone. */
    before: jsonColumn<readonly EarlierCorrection[]>(),
    type: column('string'),
    source: column('string'),
    eventId: column('string'),
    subject: column('string'),
    time: column('timestamp'),
    correctedAt: commitTime(),
  },
  key: ['namespace', 'identity'],
  indexes: {
    byCorrection: { columns: ['namespace', 'correction', 'state', 'time'] },
    byTime: { columns: ['namespace', 'state', 'time'] },
  },
});

/** Each state that a corrected event may be in. */
export const CORRECTED_STATES = ['void', 'live'] as const;

/** From a time on (until the next interval begins) a subject's usage belongs to a customer; null when to none. */
export interface CustomerInterval {
  readonly from: number;
  readonly customer: string | null;
}

export const subject = defineTable('subject', {
  columns: {
    namespace: column('string'),
    subject: column('string'),
    customers: jsonColumn<readonly CustomerInterval[]>(),
    hasLimits: column('bool'),
  },
  key: ['namespace', 'subject'],
  // One partition a namespace: while it is small or empty, the driver answers the commit's reads from memory.
  layout: { kind: 'partitioned', by: 'namespace' },
});

/** Per feed and worker: everything published before `committedThrough` is committed, appended or dead-lettered. */
export const watermark = defineTable('watermark', {
  columns: {
    feed: column('string'),
    worker: column('string'),
    /** Null where the feed brings events of every namespace. */
    namespace: nullable('string'),
    committedThrough: column('timestamp'),
    heartbeatAt: column('timestamp'),
    latenessMicros: column('int64'),
  },
  key: ['feed', 'worker'],
  // Workers come and go; what one found long ago, the living have passed.
  timeToLive: { column: 'heartbeatAt', days: 30, unit: 'micros' },
  // Written some times a second, and read by every check.
  layout: { kind: 'rows', settled: 'watermark' },
});

export const deadLetter = defineTable('dead_letter', {
  columns: {
    feed: column('string'),
    messageId: column('string'),
    namespace: column('string'),
    reason: column('string'),
    detail: column('string'),
    state: column('string'),
    type: nullable('string'),
    source: nullable('string'),
    eventId: nullable('string'),
    subject: nullable('string'),
    identity: nullable('hash'),
    publishTime: column('timestamp'),
    receivedAt: column('timestamp'),
    closedAt: nullableCommitTime(),
    /** Message attributes as a JSON object: binary mode events live in them. */
    attributes: jsonColumn<Readonly<Record<string, string>>>(),
    bytes: column('bytes'),
    /** Only when `bytes` is cut: SHA-256 of the whole message, in hex. */
    bytesHash: nullable('string'),
  },
  key: ['feed', 'messageId'],
  indexes: {
    byReason: { columns: ['namespace', 'state', 'reason', 'receivedAt'] },
    byTime: { columns: ['namespace', 'state', 'receivedAt'] },
    byIdentity: { columns: ['namespace', 'identity'] },
    bySubject: { columns: ['namespace', 'subject', 'state'] },
  },
  timeToLive: { column: 'closedAt', days: 30, unit: 'micros' },
  // A topic counts its messages up; and a broken producer brings dead letters as fast as events.
  spread: { by: ['feed', 'messageId'], key: true, indexes: ['byReason', 'byTime'] },
});

/** A row that the warehouse refused after its commit: it counts already, and waits here for a command that appends it. */
export const appendParked = defineTable('append_parked', {
  columns: {
    identity: column('hash'),
    namespace: column('string'),
    subject: column('string'),
    row: jsonColumn<Readonly<Record<string, unknown>>>(),
    error: column('string'),
    parkedAt: commitTime(),
  },
  key: ['identity'],
  indexes: { bySubject: { columns: ['namespace', 'subject'] } },
});

/**
 * An event that came through a call and not over a topic, and whose row may not be in the warehouse yet: no message says so. Written with the event,
 * deleted after its append. The call is safe to repeat, and then settles it.
 */
export const appendOwed = defineTable('append_owed', {
  columns: {
    namespace: column('string'),
    identity: column('hash'),
    /** When the event was. */
    committedAt: commitTime(),
  },
  key: ['namespace', 'identity'],
});

/** A day with cells that wait to be computed again from the exact view: written with the void that left them. */
export const dirtyDay = defineTable('dirty_day', {
  columns: {
    namespace: column('string'),
    meter: column('string'),
    generation: column('int64'),
    day: column('int64'),
    subject: column('string'),
    since: commitTime(),
  },
  key: ['namespace', 'meter', 'generation', 'day', 'subject'],
});

export const USAGE_TABLES: readonly Table<object>[] = [
  event,
  conflict,
  correctedEvent,
  usageHour,
  usageDay,
  distinctValue,
  backfilledValue,
  subject,
  watermark,
  deadLetter,
  appendParked,
  appendOwed,
  dirtyDay,
];
