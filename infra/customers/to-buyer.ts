import type { Buyer } from '#domain/invoicing/invoice-inputs.ts';
import { TAX_ID_SCHEME } from './customer-definition.ts';
import type { CustomerRow } from './tables.ts';

/** A customer as an invoice for it says it: its tax id comes before the others. */
export const toBuyer = (row: CustomerRow): Buyer => ({
  key: row.key,
  name: row.name,
  address: row.address,
  email: row.email,
  ids: row.taxId === null ? row.taxIds : [{ scheme: TAX_ID_SCHEME, id: row.taxId }, ...row.taxIds],
  taxRates: row.taxRates,
  netTermDays: row.netTermDays,
  purchaseOrder: row.purchaseOrder,
});
