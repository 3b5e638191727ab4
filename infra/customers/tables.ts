import type { AnchorChoice } from '#domain/calendar/anchor.ts';
import type { WholeAddress } from '#domain/invoicing/check-party.ts';
import type { PartyId } from '#domain/invoicing/invoice-inputs.ts';
import type { WholeTaxRateText } from '#domain/plans/tax-rate-text.ts';
import { column, defineTable, jsonColumn, nullable, nullableJson } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

/** A customer has no start of its own that several subscriptions could share. */
export type BillingAnchor = Exclude<AnchorChoice, 'start'>;

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
    /** Whose invoices it gets where a subscription says nothing; null: the namespace's. */
    seller: nullable('string'),
    address: nullableJson<WholeAddress>(),
    /** The id that its tax is told by, such as a VAT id. */
    taxId: nullable('string'),
    /** Further ids, of whatever scheme. */
    taxIds: jsonColumn<readonly PartyId[]>(),
    /** In place of the seller's; empty: no tax. */
    taxRates: nullableJson<readonly WholeTaxRateText[]>(),
    /** In place of the seller's. */
    netTermDays: nullable('int64'),
    /** The customer's own number for what it buys, which its invoices name. */
    purchaseOrder: nullable('string'),
    /** What the periods of subscriptions with alignment `customer` are counted from; null: the calendar. */
    billingAnchor: nullableJson<BillingAnchor>(),
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
