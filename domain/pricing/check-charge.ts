import { parseCivilDate } from '../calendar/civil-date.ts';
import { HUNDRED } from '../money/decimal.ts';
import { RATES_PER_CHARGE_MAX } from '../limits.ts';
import type { Violation } from '../violation.ts';
import type { Charge, Discount, Price, Rate } from './charge.ts';
import { checkOptional, numberOf, violation } from './check-number.ts';
import { checkPrice, preparePrice } from './models.ts';
import { checkQuantityRule } from './quantity-rule.ts';

/** All that is wrong with a charge, at once, by JSON pointers into it; empty when it can be rated. */
export function checkCharge(charge: Charge): Violation[] {
  const { price, quantity, discount, minimum, maximum, rates } = charge;
  const bounded = numberOf(maximum);
  return [
    ...checkPrice(price, '/price'),
    ...(rates ? checkRates(rates) : []),
    ...(quantity ? checkQuantityRule(quantity, '/quantity') : []),
    ...checkFree(charge),
    ...(discount ? checkDiscount(discount) : []),
    ...checkOptional('/maximum', maximum),
    ...checkOptional('/minimum', minimum),
    ...(bounded && numberOf(minimum)?.gt(bounded)
      ? [violation('/minimum', 'minimum_over_maximum', 'must not be above the maximum')]
      : []),
  ];
}

const checkDiscount = ({ percent, amount }: Discount): Violation[] => [
  ...checkOptional('/discount/percent', percent),
  ...(numberOf(percent)?.gt(HUNDRED)
    ? [violation('/discount/percent', 'percent_over_hundred', 'must not be above 100')]
    : []),
  ...checkOptional('/discount/amount', amount),
];

/** A number of free units cannot say which events are free, at any date. */
function checkFree({ quantity, price, rates }: Charge): Violation[] {
  const free = numberOf(quantity?.free);
  if (!free || free.isZero()) return [];
  const prices = [price, ...(rates ?? []).slice(0, RATES_PER_CHARGE_MAX).map((rate) => rate.price)];
  const ofEvents = prices.find(isOfEvents);
  if (!ofEvents) return [];
  const mend = ofEvents.model === 'percentage' ? 'use freeEvents or freeAmount' : 'leave it out';
  return [violation('/quantity/free', 'free_units_of_events', `events have no free units: ${mend}`)];
}

const isOfEvents = (price: Price): boolean =>
  checkPrice(price, '').length === 0 && preparePrice(price).input === 'events';

/** What is wrong with a local date. */
export const checkDate = (pointer: string, text: string): Violation[] =>
  parseCivilDate(text) === undefined
    ? [violation(pointer, 'not_a_date', 'must be a day of the calendar, such as 2026-03-01')]
    : [];

function checkRates(rates: readonly Rate[]): Violation[] {
  if (rates.length > RATES_PER_CHARGE_MAX)
    return [violation('/rates', 'too_many_rates', `has more than ${RATES_PER_CHARGE_MAX} prices by date`)];
  return rates.flatMap(({ from, price }, index) => {
    const before = rates[index - 1]?.from;
    return [
      ...checkDate(`/rates/${index}/from`, from),
      ...(before !== undefined && from <= before
        ? [violation(`/rates/${index}/from`, 'dates_not_ascending', 'must be after the date before')]
        : []),
      ...checkPrice(price, `/rates/${index}/price`),
    ];
  });
}
