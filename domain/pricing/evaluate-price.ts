import { CURRENCY_DECIMALS_MAX, PRICE_EVALUATION_PARTS_MAX, PRICE_EVALUATION_USAGE_MAX } from '../limits.ts';
import { anyCurrency, isIsoCurrency } from '../money/currency.ts';
import { Decimal, toDecimalText } from '../money/decimal.ts';
import { toFraction } from '../money/fraction.ts';
import type { Violation } from '../violation.ts';
import type { Charge, Price } from './charge.ts';
import { checkCharge, checkDate } from './check-charge.ts';
import { checkNumber, checkOptional, numberOf, violation } from './check-number.ts';
import type {
  EvaluatedBefore,
  EvaluatedGroup,
  EvaluatedLine,
  EvaluatedPrice,
  EvaluatedUsage,
  PriceEvaluation,
} from './evaluation.ts';
import { prepareCharge } from './prepared-charge.ts';
import { PricingError } from './pricing-error.ts';
import { rateCharge } from './rate-charge.ts';
import { priceOn } from './rates.ts';
import type { RatedLine } from './settle.ts';
import type { Before, RateRequest, Usage, UsageGroup } from './usage.ts';

/** What one charge comes to for given usage; nothing is stored. Throws `PricingError` (`invalid_query`) with every fault. */
export function evaluatePrice(question: PriceEvaluation): EvaluatedPrice {
  const faults = checkEvaluation(question);
  if (faults.length > 0) throw new PricingError('invalid_query', faults);
  const { charge, date, currency } = question;
  const prepared = prepareCharge(charge, priceAt(charge, date));
  const { amount, lines, working } = asQuestion(() => rateCharge(prepared, requestOf(question)));
  return { amount: toDecimalText(amount), currency, lines: lines.map(lineText), working };
}

/** The price of a charge that is asked for: its own where no date is given. */
export const priceAt = (charge: Charge, date: string | undefined): Price =>
  date === undefined ? charge.price : priceOn(charge, date);

/** Usage that does not fit its price is one more fault of the question. */
function asQuestion<Result>(rate: () => Result): Result {
  try {
    return rate();
  } catch (error) {
    if (!(error instanceof PricingError)) throw error;
    throw new PricingError('invalid_query', error.violations);
  }
}

function requestOf(question: PriceEvaluation): RateRequest {
  const { currency, usage, before, segment, mode, rounding, scale, fraction } = question;
  return {
    usage: readUsage(usage),
    decimals: scale ?? anyCurrency(currency).decimals,
    before: before && readBefore(before),
    segment,
    mode,
    rounding,
    fraction: fraction === undefined ? undefined : toFraction(new Decimal(fraction)),
  };
}

function readUsage(usage: EvaluatedUsage): Usage {
  if ('groups' in usage) return { groups: usage.groups.map(readGroup) };
  if ('events' in usage)
    return {
      events: usage.events.map(({ value, dimensions }) => ({ value: new Decimal(value), dimensions })),
    };
  if ('seats' in usage) return { seats: new Decimal(usage.seats) };
  return { quantity: new Decimal(usage.quantity), tierQuantity: numberOf(usage.tierQuantity) };
}

const readGroup = ({ dimensions, quantity }: EvaluatedGroup): UsageGroup => ({
  dimensions,
  quantity: new Decimal(quantity),
});

const readBefore = ({ quantity, amount, gross, events, groups }: EvaluatedBefore): Before => ({
  quantity: new Decimal(quantity),
  amount: new Decimal(amount),
  gross: numberOf(gross),
  events,
  groups: groups?.map(readGroup),
});

const textOf = (value: Decimal | undefined): string | null =>
  value === undefined ? null : toDecimalText(value);

const lineText = ({
  kind,
  description,
  dimensions,
  quantity,
  unitPrice,
  amount,
}: RatedLine): EvaluatedLine => ({
  kind,
  description,
  ...(dimensions ? { dimensions } : {}),
  quantity: textOf(quantity),
  unitPrice: textOf(unitPrice),
  amount: toDecimalText(amount),
});

function checkEvaluation(question: PriceEvaluation): Violation[] {
  const { charge, usage, before, scale, fraction, currency, date } = question;
  return [
    ...checkCurrency(currency),
    ...checkCharge(charge).map((fault) => ({ ...fault, pointer: `/charge${fault.pointer}` })),
    ...checkUsage(usage),
    ...(before ? checkBefore(before) : []),
    ...checkParts(question),
    ...(scale === undefined || (Number.isInteger(scale) && scale >= 0 && scale <= CURRENCY_DECIMALS_MAX)
      ? []
      : [violation('/scale', 'out_of_range', `must be a whole number from 0 to ${CURRENCY_DECIMALS_MAX}`)]),
    ...checkFraction(fraction),
    ...(date === undefined ? [] : checkDate('/date', date)),
  ];
}

/** Every group has a working of its own, with a part for each tier that it reaches: together they could be more than anyone can print. */
function checkParts({ charge, usage, before, date }: PriceEvaluation): Violation[] {
  if (!('groups' in usage) || charge.tiersOver === 'total') return [];
  const price = priceAt(charge, date);
  const tiers = 'tiers' in price ? price.tiers.length : 1;
  const groups = usage.groups.length + (before?.groups?.length ?? 0);
  return tiers > 1 && groups * tiers > PRICE_EVALUATION_PARTS_MAX
    ? [
        violation(
          '/usage/groups',
          'too_many',
          `must not be over ${PRICE_EVALUATION_PARTS_MAX}, groups times tiers`,
        ),
      ]
    : [];
}

export const checkCurrency = (currency: string): Violation[] =>
  isIsoCurrency(currency) ? [] : [violation('/currency', 'unknown_currency', 'is no currency of ISO 4217')];

function checkFraction(fraction: string | undefined): Violation[] {
  const faults = checkOptional('/fraction', fraction);
  if (numberOf(fraction)?.gt(1))
    faults.push(violation('/fraction', 'fraction_over_one', 'must not be above 1'));
  return faults;
}

function checkUsage(usage: EvaluatedUsage): Violation[] {
  if ('groups' in usage) return checkGroups(usage.groups, '/usage/groups');
  if ('events' in usage)
    return [
      ...checkCount(usage.events.length, '/usage/events'),
      ...usage.events.flatMap(({ value }, index) =>
        checkNumber(`/usage/events/${index}/value`, value, 'any'),
      ),
    ];
  if ('seats' in usage) return checkNumber('/usage/seats', usage.seats);
  return [
    ...checkNumber('/usage/quantity', usage.quantity, 'any'),
    ...checkOptional('/usage/tierQuantity', usage.tierQuantity, 'any'),
  ];
}

const checkGroups = (groups: readonly EvaluatedGroup[], pointer: string): Violation[] => [
  ...checkCount(groups.length, pointer),
  ...groups.flatMap(({ quantity }, index) => checkNumber(`${pointer}/${index}/quantity`, quantity, 'any')),
];

const checkCount = (count: number, pointer: string): Violation[] =>
  count > PRICE_EVALUATION_USAGE_MAX
    ? [violation(pointer, 'too_many', `has more than ${PRICE_EVALUATION_USAGE_MAX} items`)]
    : [];

const checkBefore = ({ quantity, amount, gross, events, groups }: EvaluatedBefore): Violation[] => [
  ...checkNumber('/before/quantity', quantity, 'any'),
  ...checkNumber('/before/amount', amount, 'any'),
  ...checkOptional('/before/gross', gross, 'any'),
  ...(events === undefined || (Number.isSafeInteger(events) && events >= 0)
    ? []
    : [violation('/before/events', 'not_a_whole_number', 'must be a whole number, not below 0')]),
  ...(groups ? checkGroups(groups, '/before/groups') : []),
];
