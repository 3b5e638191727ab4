import { column, defineTable, jsonColumn, nullable } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

export const customer = defineTable('customer', {
  columns: {
    namespace: column('string'),
    key: column('string'),
    name: column('string'),
    parent: nullable('string'),
    /** IANA name: where its days and months begin. */
    timezone: column('string'),
    /** ISO 4217. */
    currency: nullable('string'),
    email: nullable('string'),
    metadata: jsonColumn<Readonly<Record<string, string>>>(),
    createdAt: column('timestamp'),
    updatedAt: column('timestamp'),
    archivedAt: nullable('timestamp'),
  },
  key: ['namespace', 'key'],
  /** With the archiving in it, so that those that live are found without reading all that ever were. */
  indexes: { byParent: { columns: ['namespace', 'parent', 'archivedAt'] } },
  layout: { kind: 'rows', settled: 'catalogue' },
});

/** The subjects that a customer owns, owned or will own: the index of the `subject` rows by customer. */
export const customerSubject = defineTable('customer_subject', {
  columns: {
    namespace: column('string'),
    customer: column('string'),
    subject: column('string'),
  },
  key: ['namespace', 'customer', 'subject'],
  layout: { kind: 'rows', settled: 'catalogue' },
});

export type CustomerRow = Row<typeof customer>;

export const CUSTOMER_TABLES: readonly Table<object>[] = [customer, customerSubject];
