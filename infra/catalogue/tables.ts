import type { MeterDefinition } from '#domain/metering/meter.ts';
import {
  commitTime,
  column,
  defineTable,
  jsonColumn,
  nullable,
  nullableCommitTime,
} from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';

/** One row a namespace: what every commit checks itself against. */
export const catalogue = defineTable('catalogue', {
  columns: {
    namespace: column('string'),
    version: column('int64'),
    /** UTC days since the epoch: a commit that touches a day up to here writes its day rows too. */
    closedThrough: column('int64'),
    /** UTC days since the epoch: day rows are complete up to here, readers use them. */
    rolledThrough: column('int64'),
  },
  key: ['namespace'],
  layout: { kind: 'rows', settled: 'catalogue' },
});

export const meterVersion = defineTable('meter_version', {
  columns: {
    namespace: column('string'),
    key: column('string'),
    version: column('int64'),
    generation: column('int64'),
    state: column('string'),
    /** The catalogue version that brought it into this state. */
    stateSince: column('int64'),
    since: column('int64'),
    until: nullable('int64'),
    definition: jsonColumn<MeterDefinition>(),
    createdAt: commitTime(),
  },
  key: ['namespace', 'key', 'version'],
  layout: { kind: 'rows', settled: 'catalogue' },
});

/**
 * What is told of the past to a version of a meter: the events of these days that were committed below its `since`. Days and cut-off never
 * change, so that whoever has loaded the catalogue of a version knows what is backfilled in it.
 */
export const meterBackfill = defineTable('meter_backfill', {
  columns: {
    namespace: column('string'),
    meter: column('string'),
    version: column('int64'),
    generation: column('int64'),
    /** The cut-off: the catalogue version from which on the stream counts. */
    since: column('int64'),
    /** UTC days since the epoch, [firstDay, endDay). */
    firstDay: column('int64'),
    endDay: column('int64'),
    /** The catalogue version of its start: corrections that are committed from then on know of it. */
    startedVersion: column('int64'),
    startedAt: commitTime(),
    state: column('string'),
    /** What it waits for before it may read; null when for nothing. */
    waitsFor: nullable('string'),
    /** Shards of each day; 0 until it is planned. */
    shards: column('int64'),
    parts: column('int64'),
    partsDone: column('int64'),
    /** Events that were counted. */
    events: column('int64'),
    /** Events that pass the filter and whose value is missing or no number: they are counted elsewhere, and not here. */
    unmeasured: column('int64'),
    /** What compares cells and events at its end; null until it is made. */
    reconciliation: nullable('string'),
    completedAt: nullableCommitTime(),
  },
  key: ['namespace', 'meter', 'version'],
  // Read with every version of a meter, and written while a backfill goes on.
  layout: { kind: 'rows', settled: 'meter_backfill' },
});

/** Since when readers are not on a version any more: it is kept a while, so that it can be switched back to. */
export const retiredVersion = defineTable('retired_version', {
  columns: {
    namespace: column('string'),
    key: column('string'),
    version: column('int64'),
    /** The `stateSince` of the version that this is said of. */
    stateSince: column('int64'),
    retiredAt: commitTime(),
  },
  key: ['namespace', 'key', 'version'],
});

/** What plans grant and customers see. */
export const feature = defineTable('feature', {
  columns: {
    namespace: column('string'),
    key: column('string'),
    name: column('string'),
    /** What measures its use; null for one that a customer has or has not. */
    meter: nullable('string'),
    /** What its quantities are called, such as `tokens`. */
    unit: nullable('string'),
    createdAt: column('timestamp'),
    updatedAt: column('timestamp'),
    archivedAt: nullable('timestamp'),
  },
  key: ['namespace', 'key'],
  indexes: { byMeter: { columns: ['namespace', 'meter', 'archivedAt'] } },
  layout: { kind: 'rows', settled: 'catalogue' },
});

/** What is said of the events of a type. */
export const eventType = defineTable('event_type', {
  columns: {
    namespace: column('string'),
    type: column('string'),
    /** Rises with each change of it. */
    version: column('int64'),
    /** JSON Schema of `data` as text, as it was given; null when it has none. */
    schema: nullable('string'),
    enforce: column('string'),
    /** The catalogue version that it holds from: events committed at or after it are judged by it. */
    since: column('int64'),
    committedAt: commitTime(),
  },
  key: ['namespace', 'type'],
  layout: { kind: 'rows', settled: 'catalogue' },
});

export const CATALOGUE_TABLES: readonly Table<object>[] = [
  catalogue,
  meterVersion,
  meterBackfill,
  retiredVersion,
  feature,
  eventType,
];
