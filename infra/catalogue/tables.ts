import type { MeterDefinition } from '#domain/metering/meter.ts';
import { column, defineTable, jsonColumn, nullable } from '#infra/database/table.ts';
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
    createdAt: column('timestamp'),
  },
  key: ['namespace', 'key', 'version'],
  layout: { kind: 'rows', settled: 'catalogue' },
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
    committedAt: column('timestamp'),
  },
  key: ['namespace', 'type'],
  layout: { kind: 'rows', settled: 'catalogue' },
});

export const CATALOGUE_TABLES: readonly Table<object>[] = [catalogue, meterVersion, feature, eventType];
