import { column, commitTime, defineTable, nullable } from '#infra/database/table.ts';

export const DAYS = 10;

/** Append-only, with a time to live from the commit on. */
export const happening = defineTable('happening', {
  columns: {
    identity: column('hash'),
    subject: column('string'),
    state: column('string'),
    committedAt: commitTime(),
  },
  key: ['identity'],
  timeToLive: { column: 'committedAt', days: DAYS, unit: 'micros' },
  layout: { kind: 'appendOnly' },
});

export const hourly = defineTable('hourly', {
  columns: {
    subject: column('string'),
    hour: column('int64'),
    total: column('int64'),
    changedAt: commitTime(),
    note: nullable('json'),
  },
  key: ['subject', 'hour'],
  timeToLive: { column: 'hour', days: DAYS, unit: 'hours' },
  layout: { kind: 'partitioned', by: 'hour' },
});

export const daily = defineTable('daily', {
  columns: { name: column('string'), closedDay: nullable('int64') },
  key: ['name'],
  timeToLive: { column: 'closedDay', days: DAYS, unit: 'days' },
});

export const allTables = [happening, hourly, daily];
