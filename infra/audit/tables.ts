import { column, commitTime, defineTable, jsonColumn, nullable } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

/** Who changed what, when and why. Written once, with the change, and never again. */
export const auditEntry = defineTable('audit_entry', {
  columns: {
    namespace: column('string'),
    /** UUID v7: entries of a namespace lie in the order in which they were made. */
    id: column('string'),
    /** When it was committed, with its change. */
    at: commitTime(),
    /** Who: the id of an API key, or the name of a command. */
    principal: column('string'),
    /** One of `AUDIT_ACTIONS`. */
    action: column('string'),
    /** What kind of thing was changed, such as `event`, and which one. */
    targetKind: column('string'),
    target: column('string'),
    reason: column('string'),
    /** What there is to know beside that, such as the filter of a correction or what a repair found. */
    details: jsonColumn<AuditDetails>(),
    /** The HTTP request that asked for it; null when none did. */
    requestId: nullable('string'),
  },
  key: ['namespace', 'id'],
  indexes: { byTarget: { columns: ['namespace', 'targetKind', 'target', 'id'] } },
  // Ids have the time in them.
  spread: { by: ['namespace', 'id'], key: true },
});

/** Small and plain: an entry is a row, and is read by people. */
export type AuditDetails = Readonly<Record<string, unknown>>;
export type AuditEntry = Row<typeof auditEntry>;

export const AUDIT_TABLES: readonly Table<object>[] = [auditEntry];
