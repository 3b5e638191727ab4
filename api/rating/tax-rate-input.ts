import { z } from 'zod';
import { TAX_CODE_BYTES_MAX } from '#domain/limits.ts';
import { decimalInput } from './charge-input.ts';

const text = z.string().max(TAX_CODE_BYTES_MAX);

/** A tax as it is given; the rules of taxes say what is wrong with it. */
export const taxRateInput = z
  .strictObject({
    code: text.meta({ description: 'What kind of tax', example: 'vat' }),
    jurisdiction: text.meta({ description: 'Whose tax: a country or a part of one', example: 'DE' }),
    rate: decimalInput.meta({ description: 'In percent', example: '19' }),
    exemption: text
      .nullable()
      .exactOptional()
      .meta({ description: 'Why nothing is due, with a rate of 0: `reverse_charge`' }),
  })
  .meta({ id: 'TaxRate' });
