import { parseCadence } from '../calendar/check-periods.ts';
import { usageNeeded } from '../invoicing/usage-needed.ts';
import { CADENCE_SECONDS_MIN, PLAN_NAME_BYTES_MAX } from '../limits.ts';
import { METER_KEY } from '../metering/meter.ts';
import type { Price } from '../pricing/charge.ts';
import { checkCharge } from '../pricing/check-charge.ts';
import { checkOptional, violation } from '../pricing/check-number.ts';
import { checkPrice } from '../pricing/models.ts';
import { checkPrintable, pointerStep, type Violation } from '../violation.ts';
import { checkTaxRateTexts } from './check-tax-rate-texts.ts';
import { chargeKind } from './plan-parts.ts';
import { ONCE, type ChargeInCurrency, type PlanCharge } from './plan-version.ts';
import { holdsMoney } from './price-money.ts';

/** All that is wrong with one charge of a plan with these currencies, by pointers into the charge. */
export const checkPlanCharge = (charge: PlanCharge, currencies: readonly string[]): Violation[] => [
  ...checkKey('/key', charge.key, 'charge'),
  ...(charge.name == null ? [] : checkPrintable('/name', charge.name, PLAN_NAME_BYTES_MAX)),
  ...(charge.meter == null ? [] : checkKey('/meter', charge.meter, 'meter')),
  ...checkCharge(charge),
  ...checkCurrencies(charge, currencies),
  ...checkWhenDue(charge),
  ...checkFee(charge),
  ...checkSeats(charge),
  ...(charge.taxRates ? checkTaxRateTexts('/taxRates', charge.taxRates) : []),
];

export const checkKey = (pointer: string, key: string, what: string): Violation[] =>
  METER_KEY.test(key)
    ? []
    : [violation(pointer, 'invalid_key', `the key of a ${what} matches ${METER_KEY.source}`)];

/** Every period is an item of an invoice: shorter ones would be a document each hour, and half a million of them in a year. */
export function checkCadence(pointer: string, text: string): Violation[] {
  const cadence = parseCadence(text);
  if (cadence === undefined)
    return [
      violation(
        pointer,
        'invalid_duration',
        'is an ISO 8601 duration in whole minutes, such as P1M, P2W or P1Y',
      ),
    ];
  const { months, days, seconds } = cadence;
  return months + days > 0 || seconds >= CADENCE_SECONDS_MIN
    ? []
    : [violation(pointer, 'cadence_too_short', 'is a day at least, such as P1D')];
}

/** Every price that a charge has at some time, in any of the plan's currencies. */
export const pricesEverywhere = (charge: PlanCharge): readonly Price[] =>
  [charge, ...Object.values(charge.inCurrency ?? {})].flatMap(({ price, rates }) => [
    price,
    ...(rates ?? []).map((rate) => rate.price),
  ]);

function checkCurrencies(charge: PlanCharge, currencies: readonly string[]): Violation[] {
  const given = charge.inCurrency ?? {};
  const [first, ...others] = currencies;
  return [
    ...Object.entries(given).flatMap(([currency, money]) =>
      others.includes(currency)
        ? checkInCurrency(charge, currency, money)
        : [notOffered(`/inCurrency/${pointerStep(currency)}`, currency, first)],
    ),
    ...(holdsMoney(charge)
      ? others
          .filter((currency) => !Object.hasOwn(given, currency))
          .map((currency) =>
            violation(
              `/inCurrency/${pointerStep(currency)}`,
              'currency_missing',
              `the plan is sold in ${currency} too: say what the charge costs in it`,
            ),
          )
      : []),
  ];
}

const notOffered = (pointer: string, currency: string, first: string | undefined): Violation =>
  currency === first
    ? violation(pointer, 'first_currency_twice', `the charge itself is written in ${currency}`)
    : violation(pointer, 'currency_not_offered', `the plan is not sold in ${currency}`);

function checkInCurrency(charge: PlanCharge, currency: string, money: ChargeInCurrency): Violation[] {
  const at = `/inCurrency/${pointerStep(currency)}`;
  // The rule of quantities is the same in all currencies, and is judged with the first; whether it fits a price is judged with each.
  const faults = checkCharge({ ...money, quantity: charge.quantity ?? null });
  return [
    ...faults
      .filter(({ pointer, code }) => !pointer.startsWith('/quantity') || code === 'free_units_of_events')
      .map((fault) => ({ ...fault, pointer: `${at}${fault.pointer.replace(/^\/quantity.*/, '/price')}` })),
    ...FIELDS_OF_MONEY.filter((field) => isSaid(charge[field]) && money[field] === undefined).map((field) =>
      violation(
        `${at}/${field}`,
        'currency_incomplete',
        'the charge has it in the first currency: say what it is here, or null for none',
      ),
    ),
  ];
}

/** What a price by its side may have; a discount in percent holds in every currency. */
const FIELDS_OF_MONEY = ['rates', 'maximum', 'minimum', 'discount'] as const;

function isSaid(value: PlanCharge[(typeof FIELDS_OF_MONEY)[number]]): boolean {
  if (value == null) return false;
  if (typeof value === 'string') return true;
  return 'length' in value ? value.length > 0 : value.amount != null;
}

function checkWhenDue({ meter, timing, cadence }: PlanCharge): Violation[] {
  const isOnce = cadence === ONCE;
  return [
    ...(cadence == null || isOnce ? [] : checkCadence('/cadence', cadence)),
    ...(isOnce && meter != null
      ? [violation('/cadence', 'usage_not_once', 'usage comes again in each period: give a length of time')]
      : []),
    ...(meter != null && timing === 'inAdvance'
      ? [violation('/timing', 'usage_in_advance', 'usage is not known in advance: leave it out')]
      : []),
    ...(isOnce && timing === 'inArrears'
      ? [violation('/timing', 'once_in_arrears', 'what is due once is due when it begins: leave it out')]
      : []),
  ];
}

const checkFee = (charge: PlanCharge): Violation[] =>
  lacksMeter(charge)
    ? [violation('/meter', 'meter_needed', 'must name the meter whose events or groups are priced')]
    : [];

/** Whether a charge has no meter and needs one: without it there are seats, but neither groups nor events. */
export function lacksMeter(charge: PlanCharge): boolean {
  if (charge.meter != null) return false;
  return pricesEverywhere(charge).some((price) => {
    if (checkPrice(price, '').length > 0) return false;
    const { kind } = usageNeeded(charge, price);
    return kind === 'groups' || kind === 'events';
  });
}

function checkSeats(charge: PlanCharge): Violation[] {
  if (charge.seats == null) return [];
  const faults = checkOptional('/seats', charge.seats);
  if (chargeKind(charge) === 'usage')
    faults.push(violation('/seats', 'seats_of_usage', 'the meter says how much is used: leave them out'));
  else if (!hasSeats(charge))
    faults.push(
      violation('/seats', 'seats_of_flat_price', 'a flat price is the same for any number: use perUnit'),
    );
  return faults;
}

/** Whether it makes a difference how many seats a fee is for. */
export const hasSeats = (charge: PlanCharge): boolean =>
  charge.meter == null && pricesEverywhere(charge).some(({ model }) => model !== 'flat');
