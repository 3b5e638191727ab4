import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { PRICES } from '#domain/invoicing/tax.ts';
import { sellerFields } from '#infra/sellers/seller-definition.ts';
import type { SellerRow } from '#infra/sellers/tables.ts';
import { timeOutput } from '../http/schemas.ts';
import {
  addressDocument,
  addressInput,
  netTermDaysInput,
  partyIdsDocument,
  partyIdsInput,
  taxRatesDocument,
  taxRatesInput,
} from './party-schemas.ts';

/** What a caller says of a seller; what is left out has no value. Rules beyond the shape are the repository's. */
export const sellerInput = z
  .strictObject({
    name: z.string(),
    address: addressInput.nullable().exactOptional(),
    ids: partyIdsInput.exactOptional().meta({ description: 'Tax and registration ids, as they are printed' }),
    email: z.string().nullable().exactOptional(),
    prices: z.enum(PRICES).exactOptional().meta({
      description: 'Whether prices have the tax in them; `exclusive` when left out',
    }),
    taxRates: taxRatesInput
      .nullable()
      .exactOptional()
      .meta({ description: 'Where neither a charge nor the customer says any' }),
    netTermDays: netTermDaysInput.exactOptional(),
    paymentInstructions: z.string().nullable().exactOptional().meta({
      description: 'How to pay, printed as it is, line by line',
    }),
    numbering: z
      .strictObject({
        prefix: z.string().exactOptional().meta({
          description: 'What its invoice numbers begin with; another one begins another series',
          example: 'INV-',
        }),
        timezone: z.string().exactOptional().meta({
          description: 'Where the year of a number and the date of an issue are told; UTC when left out',
        }),
      })
      .exactOptional(),
  })
  .meta({
    id: 'SellerInput',
    example: {
      name: 'Millrace GmbH',
      address: { line1: 'Torstraße 1', city: 'Berlin', postalCode: '10119', country: 'DE' },
      ids: [{ scheme: 'vat', id: 'DE123456789' }],
      taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }],
      numbering: { prefix: 'MR-', timezone: 'Europe/Berlin' },
    },
  });

export const sellerDocument = z
  .object({
    key: z.string(),
    name: z.string(),
    address: addressDocument.nullable(),
    ids: partyIdsDocument,
    email: z.string().nullable(),
    prices: z.enum(PRICES),
    taxRates: taxRatesDocument.nullable(),
    netTermDays: z.int(),
    paymentInstructions: z.string().nullable(),
    numbering: z.object({ prefix: z.string(), timezone: z.string() }),
    createdAt: timeOutput,
    updatedAt: timeOutput,
    archivedAt: timeOutput.nullable(),
  })
  .meta({ id: 'Seller' });

export function toSellerDocument(row: SellerRow): z.output<typeof sellerDocument> {
  const { numberPrefix: prefix, timezone, ids, taxRates, ...fields } = sellerFields(row);
  return {
    key: row.key,
    ...fields,
    ids: [...ids],
    taxRates: taxRates && [...taxRates],
    numbering: { prefix, timezone },
    createdAt: formatInstant(row.createdAt),
    updatedAt: formatInstant(row.updatedAt),
    archivedAt: row.archivedAt === null ? null : formatInstant(row.archivedAt),
  };
}
