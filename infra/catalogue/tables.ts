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
});

export const meterVersion = defineTable('meter_version', {
  columns: {
    namespace: column('string'),
    key: column('string'),
    version: column('int64'),
    generation: column('int64'),
    state: column('string'),
    since: column('int64'),
    until: nullable('int64'),
    definition: jsonColumn<MeterDefinition>(),
    createdAt: column('timestamp'),
  },
  key: ['namespace', 'key', 'version'],
});

export const CATALOGUE_TABLES: readonly Table<object>[] = [catalogue, meterVersion];
