import type { Seller } from '#domain/invoicing/invoice-inputs.ts';
import type { SellerRow } from './tables.ts';

/** A seller as an invoice says it. */
export const toSeller = (row: SellerRow): Seller => ({
  key: row.key,
  name: row.name,
  address: row.address,
  email: row.email,
  ids: row.ids,
  prices: row.prices,
  taxRates: row.taxRates,
  netTermDays: row.netTermDays,
  paymentInstructions: row.paymentInstructions,
});
