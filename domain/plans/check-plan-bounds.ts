import { isIsoCurrency, anyCurrency } from '../money/currency.ts';
import { isPayable } from '../money/money.ts';
import { checkNumber, numberOf, violation } from '../pricing/check-number.ts';
import { pointerStep, type Violation } from '../violation.ts';
import { checkCadence } from './check-plan-charge.ts';
import { boundsIn, cadenceOf } from './plan-parts.ts';
import type { PlanBound, PlanMinimum, PlanVersionDefinition } from './plan-version.ts';

type Amounts = Readonly<Record<string, string>>;

/** All that is wrong with what a version's subscriptions pay at least and at most, in the version itself and in its phases. */
export function checkPlanBounds(version: PlanVersionDefinition): Violation[] {
  const { currencies, phases } = version;
  const places = [
    { at: '', ...version },
    ...phases.map((phase, index) => ({ at: `/phases/${index}`, ...phase })),
  ];
  return [
    ...places.flatMap(({ at, minimum, maximum }) => [
      ...(minimum ? checkMinimum(`${at}/minimum`, minimum, currencies) : []),
      ...(maximum ? checkBound(`${at}/maximum`, maximum, currencies) : []),
    ]),
    ...checkOrder(version),
  ];
}

/** Money in every currency of a plan, as an invoice can have it. */
export function checkAmounts(pointer: string, amounts: Amounts, currencies: readonly string[]): Violation[] {
  const extra = Object.keys(amounts).filter((currency) => !currencies.includes(currency));
  return [
    ...currencies.flatMap((currency) => {
      const at = `${pointer}/${pointerStep(currency)}`;
      const amount = amountIn(amounts, currency);
      return amount === undefined
        ? [violation(at, 'currency_missing', `the plan is sold in ${currency} too: say how much it is`)]
        : checkAmount(at, amount, currency);
    }),
    ...extra.map((currency) =>
      violation(
        `${pointer}/${pointerStep(currency)}`,
        'currency_not_offered',
        `the plan is not sold in ${currency}`,
      ),
    ),
  ];
}

function checkAmount(pointer: string, text: string, currency: string): Violation[] {
  const faults = checkNumber(pointer, text);
  const amount = numberOf(text);
  if (faults.length > 0 || !amount || !isIsoCurrency(currency)) return faults;
  const known = anyCurrency(currency);
  if (isPayable({ currency: known, amount })) return [];
  const message = `has at most ${known.decimals} decimals in ${currency}`;
  return [violation(pointer, 'not_in_minor_units', message)];
}

const amountIn = (amounts: Amounts, currency: string): string | undefined =>
  Object.hasOwn(amounts, currency) ? amounts[currency] : undefined;

const checkBound = (
  pointer: string,
  { amount, cadence }: PlanBound,
  currencies: readonly string[],
): Violation[] => [
  ...checkAmounts(`${pointer}/amount`, amount, currencies),
  ...(cadence == null ? [] : checkCadence(`${pointer}/cadence`, cadence)),
];

function checkMinimum(pointer: string, minimum: PlanMinimum, currencies: readonly string[]): Violation[] {
  const { overageFactor } = minimum;
  const at = `${pointer}/overageFactor`;
  return [
    ...checkBound(pointer, minimum, currencies),
    ...(overageFactor == null ? [] : checkNumber(at, overageFactor)),
    ...(numberOf(overageFactor)?.lt(1)
      ? [violation(at, 'overage_factor_below_one', 'is 1 or more: less would be a discount')]
      : []),
  ];
}

/** A minimum is not above the maximum that holds with it. Those of different periods cannot be compared. */
function checkOrder(version: PlanVersionDefinition): Violation[] {
  const faults = new Map<string, Violation>();
  for (const [index, phase] of version.phases.entries()) {
    const { minimum, maximum } = boundsIn(version, phase);
    if (!minimum || !maximum || cadenceOf(minimum) !== cadenceOf(maximum)) continue;
    const at = phase.minimum ? `/phases/${index}/minimum` : '/minimum';
    for (const currency of version.currencies) {
      const least = numberOf(amountIn(minimum.amount, currency));
      const most = numberOf(amountIn(maximum.amount, currency));
      const pointer = `${at}/amount/${pointerStep(currency)}`;
      if (least && most && least.gt(most))
        faults.set(pointer, violation(pointer, 'minimum_over_maximum', 'must not be above the maximum'));
    }
  }
  return [...faults.values()];
}
