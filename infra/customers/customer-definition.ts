import type { AnchorChoice } from '#domain/calendar/anchor.ts';
import { checkAnchor, parseCadence } from '#domain/calendar/check-periods.ts';
import { isTimeZone, timeZone } from '#domain/calendar/time-zone.ts';
import {
  checkAddress,
  checkEmail,
  checkNetTermDays,
  checkPartyIds,
  wholeAddress,
} from '#domain/invoicing/check-party.ts';
import type { Address, PartyId } from '#domain/invoicing/invoice-inputs.ts';
import {
  CUSTOMER_NAME_BYTES_MAX,
  METADATA_ENTRIES_MAX,
  METADATA_KEY_BYTES_MAX,
  METADATA_VALUE_BYTES_MAX,
  NAME_BYTES_MAX,
  PARTY_ID_BYTES_MAX,
  PURCHASE_ORDER_BYTES_MAX,
  SUBJECTS_PER_CUSTOMER_MAX,
} from '#domain/limits.ts';
import { METER_KEY } from '#domain/metering/meter.ts';
import { isIsoCurrency } from '#domain/money/currency.ts';
import { checkTaxRateTexts } from '#domain/plans/check-tax-rate-texts.ts';
import { wholeTaxRate, type TaxRateText } from '#domain/plans/tax-rate-text.ts';
import { checkPrintable, pointerStep, type Violation } from '#domain/violation.ts';
import type { BillingAnchor, CustomerRow } from './tables.ts';

/** What a user says of a customer. What is left out has no value; the time zone is then UTC. */
export interface CustomerDefinition {
  readonly name: string;
  readonly subjects?: readonly string[] | undefined;
  readonly parent?: string | null | undefined;
  readonly timezone?: string | undefined;
  readonly currency?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly seller?: string | null | undefined;
  readonly address?: Address | null | undefined;
  readonly taxId?: string | null | undefined;
  readonly taxIds?: readonly PartyId[] | undefined;
  readonly taxRates?: readonly TaxRateText[] | null | undefined;
  readonly netTermDays?: number | null | undefined;
  readonly purchaseOrder?: string | null | undefined;
  readonly billingAnchor?: BillingAnchor | null | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** The same with everything in its place, as it is stored. */
export interface WholeDefinition extends CustomerFields {
  readonly subjects: readonly string[];
}

/** What a customer says, as its row holds it: its subjects are elsewhere. */
export type CustomerFields = Omit<
  CustomerRow,
  'namespace' | 'key' | 'createdAt' | 'updatedAt' | 'archivedAt'
>;

/** The scheme of a tax id that is given without one. */
export const TAX_ID_SCHEME = 'tax';

/** All that is wrong with a customer, at once; empty when it can be saved. */
export function checkCustomer(key: string, definition: CustomerDefinition): Violation[] {
  const { name, subjects = [], parent, timezone, currency, email, metadata = {} } = definition;
  return [
    ...checkOpaqueName('', key),
    ...checkPrintable('/name', name, CUSTOMER_NAME_BYTES_MAX),
    ...checkSubjects(subjects),
    ...(parent == null ? [] : checkOpaqueName('/parent', parent)),
    ...(timezone === undefined || isTimeZone(timezone)
      ? []
      : [{ pointer: '/timezone', code: 'unknown_time_zone', message: 'is no IANA time zone' }]),
    ...(currency == null || isIsoCurrency(currency)
      ? []
      : [{ pointer: '/currency', code: 'unknown_currency', message: 'is no ISO 4217 code such as EUR' }]),
    ...(email == null ? [] : checkEmail('/email', email)),
    ...checkBilling(definition),
    ...checkMetadata(metadata),
  ];
}

export const wholeDefinition = (definition: CustomerDefinition): WholeDefinition => ({
  name: definition.name,
  subjects: definition.subjects ?? [],
  parent: definition.parent ?? null,
  timezone: timeZone(definition.timezone ?? 'UTC').name,
  currency: definition.currency ?? null,
  email: definition.email ?? null,
  seller: definition.seller ?? null,
  address: definition.address ? wholeAddress(definition.address) : null,
  taxId: definition.taxId ?? null,
  taxIds: definition.taxIds ?? [],
  taxRates: definition.taxRates?.map(wholeTaxRate) ?? null,
  netTermDays: definition.netTermDays ?? null,
  purchaseOrder: definition.purchaseOrder ?? null,
  billingAnchor: wholeAnchor(definition.billingAnchor ?? null),
  metadata: definition.metadata ?? {},
});

/** What a row says of its customer, without its name and times. */
export const customerFields = (row: CustomerRow): CustomerFields => ({
  name: row.name,
  parent: row.parent,
  timezone: row.timezone,
  currency: row.currency,
  email: row.email,
  seller: row.seller,
  address: row.address,
  taxId: row.taxId,
  taxIds: row.taxIds,
  taxRates: row.taxRates,
  netTermDays: row.netTermDays,
  purchaseOrder: row.purchaseOrder,
  billingAnchor: row.billingAnchor,
  metadata: row.metadata,
});

/** A month that is not said is left out, as it comes back from the store. */
const wholeAnchor = (anchor: BillingAnchor | null): BillingAnchor | null =>
  typeof anchor === 'object' && anchor !== null && 'day' in anchor && anchor.month === undefined
    ? { day: anchor.day }
    : anchor;

/** The key of a customer and the name of a subject: any printable text, except what a path in a URL would swallow. */
export const checkOpaqueName = (pointer: string, name: string): Violation[] =>
  name === '.' || name === '..'
    ? [{ pointer, code: 'invalid_name', message: 'cannot be "." or ".."' }]
    : checkPrintable(pointer, name, NAME_BYTES_MAX);

function checkSubjects(subjects: readonly string[]): Violation[] {
  if (subjects.length > SUBJECTS_PER_CUSTOMER_MAX) {
    const message = `at most ${SUBJECTS_PER_CUSTOMER_MAX} subjects`;
    return [{ pointer: '/subjects', code: 'too_many_subjects', message }];
  }
  const seen = new Set<string>();
  return subjects.flatMap((subject, place) => {
    const pointer = `/subjects/${place}`;
    if (seen.has(subject)) return [{ pointer, code: 'duplicate', message: `${subject} is there already` }];
    seen.add(subject);
    return checkOpaqueName(pointer, subject);
  });
}

/** What only invoices ask for. */
function checkBilling(definition: CustomerDefinition): Violation[] {
  const {
    seller,
    address,
    taxId,
    taxIds = [],
    taxRates,
    netTermDays,
    purchaseOrder,
    billingAnchor,
  } = definition;
  const ids = checkPartyIds('/taxIds', taxIds);
  return [
    ...(seller == null || METER_KEY.test(seller)
      ? []
      : [{ pointer: '/seller', code: 'invalid_key', message: `matches ${METER_KEY.source}` }]),
    ...(address == null ? [] : checkAddress('/address', address)),
    ...(taxId == null ? [] : checkPrintable('/taxId', taxId, PARTY_ID_BYTES_MAX)),
    ...ids,
    ...(ids.length > 0 ? [] : checkTaxIdOnce(taxId, taxIds)),
    ...(taxRates == null ? [] : checkTaxRateTexts('/taxRates', taxRates)),
    ...(netTermDays == null ? [] : checkNetTermDays('/netTermDays', netTermDays)),
    ...(purchaseOrder == null
      ? []
      : checkPrintable('/purchaseOrder', purchaseOrder, PURCHASE_ORDER_BYTES_MAX)),
    ...(billingAnchor == null ? [] : checkBillingAnchor(billingAnchor)),
  ];
}

const checkTaxIdOnce = (taxId: string | null | undefined, taxIds: readonly PartyId[]): Violation[] =>
  taxIds.flatMap(({ scheme, id }, place) =>
    scheme === TAX_ID_SCHEME && id === taxId
      ? [{ pointer: `/taxIds/${place}`, code: 'duplicate', message: 'is the tax id already' }]
      : [],
  );

/** Which cadences it fits is judged where a subscription is made; here only that it is a date of some kind. */
function checkBillingAnchor(anchor: AnchorChoice): Violation[] {
  const pointer = '/billingAnchor';
  if (anchor === 'start')
    return [
      { pointer, code: 'anchor_misfit', message: 'is for several subscriptions, which start when they do' },
    ];
  const cadence = parseCadence(typeof anchor === 'object' && 'weekday' in anchor ? 'P1W' : 'P1M');
  if (cadence === undefined) return [];
  return checkAnchor(anchor, cadence).map((fault) => ({
    ...fault,
    pointer: fault.pointer.replace(/^\/anchor/, pointer),
  }));
}

export function checkMetadata(metadata: Readonly<Record<string, string>>): Violation[] {
  const entries = Object.entries(metadata);
  if (entries.length > METADATA_ENTRIES_MAX) {
    const message = `at most ${METADATA_ENTRIES_MAX} entries`;
    return [{ pointer: '/metadata', code: 'too_many_entries', message }];
  }
  return entries.flatMap(([name, value]) => {
    const pointer = `/metadata/${pointerStep(name)}`;
    const values = value === '' ? [] : checkPrintable(pointer, value, METADATA_VALUE_BYTES_MAX);
    return [...checkPrintable(pointer, name, METADATA_KEY_BYTES_MAX), ...values];
  });
}
