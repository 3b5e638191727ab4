import { isTimeZone, timeZone } from '#domain/calendar/time-zone.ts';
import {
  checkAddress,
  checkEmail,
  checkNetTermDays,
  checkPartyIds,
  wholeAddress,
} from '#domain/invoicing/check-party.ts';
import type { Address, PartyId } from '#domain/invoicing/invoice-inputs.ts';
import type { Prices } from '#domain/invoicing/tax.ts';
import {
  CUSTOMER_NAME_BYTES_MAX,
  PAYMENT_INSTRUCTION_LINES_MAX,
  PAYMENT_INSTRUCTIONS_BYTES_MAX,
} from '#domain/limits.ts';
import { METER_KEY } from '#domain/metering/meter.ts';
import { checkTaxRateTexts } from '#domain/plans/check-tax-rate-texts.ts';
import { wholeTaxRate, type TaxRateText } from '#domain/plans/tax-rate-text.ts';
import { checkPrintable, type Violation } from '#domain/violation.ts';
import type { SellerRow } from './tables.ts';

/** How its invoices are numbered: `<prefix><year>-<number>`, the year that of the issue in the zone. */
export interface Numbering {
  readonly prefix?: string | undefined;
  readonly timezone?: string | undefined;
}

/** What a user says of a seller. What is left out has no value, or the one that `wholeSeller` gives it. */
export interface SellerDefinition {
  readonly name: string;
  readonly address?: Address | null | undefined;
  readonly ids?: readonly PartyId[] | undefined;
  readonly email?: string | null | undefined;
  readonly prices?: Prices | undefined;
  readonly taxRates?: readonly TaxRateText[] | null | undefined;
  readonly netTermDays?: number | undefined;
  readonly paymentInstructions?: string | null | undefined;
  readonly numbering?: Numbering | undefined;
}

export const NET_TERM_DAYS_DEFAULT = 30;
export const NUMBER_PREFIX_DEFAULT = 'INV-';
/** What accounting programs and file names take. */
const NUMBER_PREFIX = /^[A-Za-z0-9_./-]{0,20}$/;

/** What a seller says, as its row holds it. */
export type SellerFields = Omit<SellerRow, 'namespace' | 'key' | 'createdAt' | 'updatedAt' | 'archivedAt'>;

/** All that is wrong with a seller, at once; empty when it can be saved. */
export function checkSeller(key: string, definition: SellerDefinition): Violation[] {
  const {
    name,
    address,
    ids = [],
    email,
    taxRates,
    netTermDays,
    paymentInstructions,
    numbering,
  } = definition;
  return [
    ...(METER_KEY.test(key)
      ? []
      : [{ pointer: '', code: 'invalid_key', message: `the key of a seller matches ${METER_KEY.source}` }]),
    ...checkPrintable('/name', name, CUSTOMER_NAME_BYTES_MAX),
    ...(address == null ? [] : checkAddress('/address', address)),
    ...checkPartyIds('/ids', ids),
    ...(email == null ? [] : checkEmail('/email', email)),
    ...(taxRates == null ? [] : checkTaxRateTexts('/taxRates', taxRates)),
    ...(netTermDays === undefined ? [] : checkNetTermDays('/netTermDays', netTermDays)),
    ...(paymentInstructions == null ? [] : checkInstructions(paymentInstructions)),
    ...checkNumbering(numbering ?? {}),
  ];
}

export const wholeSeller = (definition: SellerDefinition): SellerFields => ({
  name: definition.name,
  address: definition.address ? wholeAddress(definition.address) : null,
  ids: definition.ids ?? [],
  email: definition.email ?? null,
  prices: definition.prices ?? 'exclusive',
  taxRates: definition.taxRates?.map(wholeTaxRate) ?? null,
  netTermDays: definition.netTermDays ?? NET_TERM_DAYS_DEFAULT,
  paymentInstructions: definition.paymentInstructions ?? null,
  numberPrefix: definition.numbering?.prefix ?? NUMBER_PREFIX_DEFAULT,
  timezone: timeZone(definition.numbering?.timezone ?? 'UTC').name,
});

/** What a row says of its seller, without its name and times. */
export const sellerFields = (row: SellerRow): SellerFields => ({
  name: row.name,
  address: row.address,
  ids: row.ids,
  email: row.email,
  prices: row.prices,
  taxRates: row.taxRates,
  netTermDays: row.netTermDays,
  paymentInstructions: row.paymentInstructions,
  numberPrefix: row.numberPrefix,
  timezone: row.timezone,
});

/** A line feed begins a new line on the invoice too. */
function checkInstructions(text: string): Violation[] {
  const pointer = '/paymentInstructions';
  const lines = text.split('\n');
  if (lines.length > PAYMENT_INSTRUCTION_LINES_MAX) {
    const message = `has more than ${PAYMENT_INSTRUCTION_LINES_MAX} lines`;
    return [{ pointer, code: 'too_many', message }];
  }
  if (Buffer.byteLength(text) > PAYMENT_INSTRUCTIONS_BYTES_MAX) {
    const message = `has more than ${PAYMENT_INSTRUCTIONS_BYTES_MAX} bytes`;
    return [{ pointer, code: 'too_long', message }];
  }
  const written = lines.filter((line) => line !== '');
  if (written.length === 0) return checkPrintable(pointer, '', PAYMENT_INSTRUCTIONS_BYTES_MAX);
  return written.flatMap((line) => checkPrintable(pointer, line, PAYMENT_INSTRUCTIONS_BYTES_MAX)).slice(0, 1);
}

function checkNumbering({ prefix, timezone }: Numbering): Violation[] {
  return [
    ...(prefix === undefined || NUMBER_PREFIX.test(prefix)
      ? []
      : [
          {
            pointer: '/numbering/prefix',
            code: 'invalid_prefix',
            message: `matches ${NUMBER_PREFIX.source}`,
          },
        ]),
    ...(timezone === undefined || isTimeZone(timezone)
      ? []
      : [{ pointer: '/numbering/timezone', code: 'unknown_time_zone', message: 'is no IANA time zone' }]),
  ];
}
