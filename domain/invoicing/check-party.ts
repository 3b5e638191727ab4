import {
  ADDRESS_LINE_BYTES_MAX,
  EMAIL_BYTES_MAX,
  NET_TERM_DAYS_MAX,
  PARTY_ID_BYTES_MAX,
  PARTY_IDS_MAX,
  POSTAL_CODE_BYTES_MAX,
} from '../limits.ts';
import { violation } from '../pricing/check-number.ts';
import { checkPrintable, type Violation } from '../violation.ts';
import type { Address, PartyId } from './invoice-inputs.ts';
import { isCountry } from './iso-3166.ts';

/** What kind of id it is, in our own words: `vat`, `gst`, `company`. */
export const ID_SCHEME = /^[a-z0-9][a-z0-9_.-]{0,31}$/;

/** All that is wrong with an address, at once; `pointer` is its own. */
export function checkAddress(pointer: string, address: Address): Violation[] {
  const { line1, line2, city, region, postalCode, country } = address;
  const line = (name: string, text: string | null | undefined, bytesMax = ADDRESS_LINE_BYTES_MAX) =>
    text == null ? [] : checkPrintable(`${pointer}/${name}`, text, bytesMax);
  return [
    ...line('line1', line1),
    ...line('line2', line2),
    ...line('city', city),
    ...line('region', region),
    ...line('postalCode', postalCode, POSTAL_CODE_BYTES_MAX),
    ...(isCountry(country)
      ? []
      : [
          violation(`${pointer}/country`, 'unknown_country', 'is no ISO 3166 code of two letters such as DE'),
        ]),
  ];
}

/** An address with a place for everything that may be said, as it is stored. */
export type WholeAddress = { readonly [Name in keyof Address]-?: Exclude<Address[Name], undefined> };

export const wholeAddress = ({ line1, line2, city, region, postalCode, country }: Address): WholeAddress => ({
  line1,
  line2: line2 ?? null,
  city,
  region: region ?? null,
  postalCode: postalCode ?? null,
  country,
});

/** All that is wrong with a list of ids; `pointer` is that of the list. */
export function checkPartyIds(pointer: string, ids: readonly PartyId[]): Violation[] {
  if (ids.length > PARTY_IDS_MAX)
    return [violation(pointer, 'too_many', `has more than ${PARTY_IDS_MAX} ids`)];
  const seen = new Set<string>();
  return ids.flatMap(({ scheme, id }, place) => {
    const at = `${pointer}/${place}`;
    const name = JSON.stringify([scheme, id]);
    if (seen.has(name)) return [violation(at, 'duplicate', `the id ${id} is there already`)];
    seen.add(name);
    return [
      ...(ID_SCHEME.test(scheme)
        ? []
        : [violation(`${at}/scheme`, 'invalid_key', `matches ${ID_SCHEME.source}`)]),
      ...checkPrintable(`${at}/id`, id, PARTY_ID_BYTES_MAX),
    ];
  });
}

/** Days from the issue of an invoice to the day it is due. */
export const checkNetTermDays = (pointer: string, days: number): Violation[] =>
  Number.isInteger(days) && days >= 0 && days <= NET_TERM_DAYS_MAX
    ? []
    : [violation(pointer, 'out_of_range', `is a whole number of days from 0 to ${NET_TERM_DAYS_MAX}`)];

/** Only that it could be an e-mail address: whether it is, a message to it will tell. */
export function checkEmail(pointer: string, email: string): Violation[] {
  const faults = checkPrintable(pointer, email, EMAIL_BYTES_MAX);
  if (faults.length > 0) return faults;
  const at = email.lastIndexOf('@');
  return at > 0 && at < email.length - 1 && !email.includes(' ')
    ? []
    : [violation(pointer, 'invalid_email', 'is no e-mail address')];
}
