import type { WholeAddress } from '#domain/invoicing/check-party.ts';
import type { PartyId } from '#domain/invoicing/invoice-inputs.ts';
import type { Prices } from '#domain/invoicing/tax.ts';
import type { WholeTaxRateText } from '#domain/plans/tax-rate-text.ts';
import {
  column,
  defineTable,
  jsonColumn,
  nullable,
  nullableJson,
  type Table,
} from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

/** A legal entity that invoices come from. What it said on an invoice stays there: the invoice keeps a copy. */
export const seller = defineTable('seller', {
  columns: {
    namespace: column('string'),
    key: column('string'),
    name: column('string'),
    address: nullableJson<WholeAddress>(),
    ids: jsonColumn<readonly PartyId[]>(),
    email: nullable('string'),
    /** `exclusive` or `inclusive`: whether its prices have the tax in them. */
    prices: jsonColumn<Prices>(),
    taxRates: nullableJson<readonly WholeTaxRateText[]>(),
    netTermDays: column('int64'),
    paymentInstructions: nullable('string'),
    /** What its invoice numbers begin with; another prefix is another series. */
    numberPrefix: column('string'),
    /** IANA name: where the year of a number and the date of an issue are told. */
    timezone: column('string'),
    createdAt: column('timestamp'),
    updatedAt: column('timestamp'),
    archivedAt: nullable('timestamp'),
  },
  key: ['namespace', 'key'],
  layout: { kind: 'rows', settled: 'catalogue' },
});

export type SellerRow = Row<typeof seller>;

export const SELLER_TABLES: readonly Table<object>[] = [seller];
