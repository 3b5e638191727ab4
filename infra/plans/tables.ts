import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import { column, defineTable, jsonColumn, nullable, type Table } from '#infra/database/table.ts';

export const plan = defineTable('plan', {
  columns: {
    namespace: column('string'),
    key: column('string'),
    name: column('string'),
    /** The greatest number that a version of it has; 0 while it has none. */
    newestVersion: column('int64'),
    /** The newest active version, which those get who name none; null while there is none. */
    activeVersion: nullable('int64'),
    createdAt: column('timestamp'),
    updatedAt: column('timestamp'),
    archivedAt: nullable('timestamp'),
  },
  key: ['namespace', 'key'],
  layout: { kind: 'rows', settled: 'plans' },
});

export const planVersion = defineTable('plan_version', {
  columns: {
    namespace: column('string'),
    plan: column('string'),
    version: column('int64'),
    state: column('string'),
    definition: jsonColumn<PlanVersionDefinition>(),
    createdAt: column('timestamp'),
    /** When the draft was last written. */
    updatedAt: column('timestamp'),
    publishedAt: nullable('timestamp'),
    archivedAt: nullable('timestamp'),
  },
  key: ['namespace', 'plan', 'version'],
  /** So that the newest of the active ones is found without reading what came after it. */
  indexes: { byState: { columns: ['namespace', 'plan', 'state', 'version'] } },
});

/** The published versions whose charges price a meter's usage, archived ones too: subscriptions may still be on them. */
export const planMeter = defineTable('plan_meter', {
  columns: {
    namespace: column('string'),
    meter: column('string'),
    plan: column('string'),
    version: column('int64'),
  },
  key: ['namespace', 'meter', 'plan', 'version'],
});

export const PLAN_TABLES: readonly Table<object>[] = [plan, planVersion, planMeter];
