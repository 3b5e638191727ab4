import { z } from 'zod';
import {
  ADDRESS_LINE_BYTES_MAX,
  NET_TERM_DAYS_MAX,
  PARTY_ID_BYTES_MAX,
  PARTY_IDS_MAX,
  POSTAL_CODE_BYTES_MAX,
  TAX_RATES_PER_LINE_MAX,
} from '#domain/limits.ts';
import { quantityOutput } from '../http/schemas.ts';
import { upTo } from '../rating/charge-input.ts';
import { taxRateInput } from '../rating/tax-rate-input.ts';

const line = z.string().max(ADDRESS_LINE_BYTES_MAX);
const optionalLine = line.nullable().exactOptional();

export const addressInput = z
  .strictObject({
    line1: line,
    line2: optionalLine,
    city: line,
    region: optionalLine.meta({ description: 'A state or province, where addresses have one' }),
    postalCode: z.string().max(POSTAL_CODE_BYTES_MAX).nullable().exactOptional(),
    country: z.string().max(2).meta({ description: 'ISO 3166-1, two letters', example: 'DE' }),
  })
  .meta({ id: 'AddressInput' });

export const addressDocument = z
  .object({
    line1: z.string(),
    line2: z.string().nullable(),
    city: z.string(),
    region: z.string().nullable(),
    postalCode: z.string().nullable(),
    country: z.string(),
  })
  .meta({ id: 'Address' });

export const partyIdsInput = upTo(
  z
    .strictObject({
      scheme: z.string().max(32).meta({ description: 'What kind of id it is', example: 'vat' }),
      id: z.string().max(PARTY_ID_BYTES_MAX).meta({ example: 'DE123456789' }),
    })
    .meta({ id: 'PartyIdInput' }),
  PARTY_IDS_MAX,
);

export const partyIdsDocument = z.array(
  z.object({ scheme: z.string(), id: z.string() }).meta({ id: 'PartyId' }),
);

export const taxRatesInput = upTo(taxRateInput, TAX_RATES_PER_LINE_MAX);

export const taxRatesDocument = z.array(
  z
    .object({
      code: z.string(),
      jurisdiction: z.string(),
      rate: quantityOutput,
      exemption: z.string().nullable(),
    })
    .meta({ id: 'TaxRateInForce' }),
);

export const netTermDaysInput = z
  .int()
  .meta({ description: `Days from issue to due date, 0 to ${NET_TERM_DAYS_MAX}`, example: 30 });
