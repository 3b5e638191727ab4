import type { Address, Buyer, PartyId, Seller } from '#domain/invoicing/invoice-inputs.ts';
import { given } from './printed-text.ts';

/** How ids are called that are common; any other is called by its scheme. */
const ID_NAMES: Readonly<Record<string, string>> = {
  tax: 'Tax ID',
  vat: 'VAT ID',
  gst: 'GST ID',
  company: 'Company no.',
  gln: 'GLN',
  duns: 'D-U-N-S',
};

/** An address as it stands below a name, a line each. */
export const addressLines = ({ line1, line2, city, region, postalCode, country }: Address): string[] =>
  [
    given(line1),
    printed(line2),
    [[postalCode, city].map(printed).filter(Boolean).join(' '), printed(region), country]
      .filter(Boolean)
      .join(', '),
  ].filter(Boolean);

const printed = (text: string | null | undefined): string => (text == null ? '' : given(text));

export const idText = ({ scheme, id }: PartyId): string =>
  `${ID_NAMES[scheme] ?? scheme.toUpperCase()} ${given(id)}`;

/** What is printed below the name of whoever sells or buys. */
export const partyLines = ({
  address,
  ids,
  email,
}: Pick<Buyer | Seller, 'address' | 'ids' | 'email'>): string[] => [
  ...(address === null ? [] : addressLines(address)),
  ...ids.map(idText),
  ...(email === null ? [] : [email]),
];
