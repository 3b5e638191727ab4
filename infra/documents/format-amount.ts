import { ISO_4217_DECIMALS } from '#domain/money/iso-4217.ts';

/** The sign that stands before a number below 0: as wide as a figure, unlike a hyphen. */
const MINUS = '\u2212';

/** Decimal text as it is read: with a comma between thousands. Worked: `-1234567.5` is `−1,234,567.5`. */
export function formatNumber(text: string): string {
  const [whole = '', decimals] = text.replace(/^-/, '').split('.');
  const grouped = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return `${text.startsWith('-') ? MINUS : ''}${grouped}${decimals === undefined ? '' : `.${decimals}`}`;
}

/** An amount with all decimals of its currency, and more where it has more. Worked: USD `12.5` is `12.50`, JPY `1200` is `1,200`. */
export function formatAmount(currency: string, text: string): string {
  const [whole = '', decimals = ''] = text.split('.');
  const full = decimals.padEnd(ISO_4217_DECIMALS.get(currency) ?? 0, '0');
  return formatNumber(full === '' ? whole : `${whole}.${full}`);
}

/** The same with the currency before it. */
export const formatMoney = (currency: string, text: string): string =>
  `${currency} ${formatAmount(currency, text)}`;

/** Decimals of an exact amount that are printed; the JSON of an invoice has them all. */
const EXACT_DECIMALS_SHOWN = 10;

/** An exact amount, cut where it goes on for longer than anybody reads. Worked: a third of a dollar is `0.3333333333…`. */
export const formatExact = (currency: string, text: string): string =>
  cutTo(EXACT_DECIMALS_SHOWN, text) ?? formatAmount(currency, text);

/** Decimals of a quantity that are printed beside its price; its working has them all. */
const QUANTITY_DECIMALS_SHOWN = 6;

/** A quantity in a column of them. Worked: a third of a gigabyte-month is `0.333333…`. */
export const formatQuantity = (text: string): string =>
  cutTo(QUANTITY_DECIMALS_SHOWN, text) ?? formatNumber(text);

/** Undefined where a number has no more decimals than that. */
function cutTo(shown: number, text: string): string | undefined {
  const decimals = text.length - 1 - text.indexOf('.');
  return text.includes('.') && decimals > shown
    ? `${formatNumber(text.slice(0, shown - decimals))}…`
    : undefined;
}
