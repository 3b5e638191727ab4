import { Decimal, ZERO } from '../../money/decimal.ts';
import type { Violation } from '../../violation.ts';
import type { PercentagePrice } from '../charge.ts';
import { checkNumber, checkOptional, numberOf, violation } from '../check-number.ts';
import type { EventsBefore, Model, ModelDefinition, Part, PricedEvent } from '../model.ts';

interface Rules {
  readonly rate: Decimal;
  readonly fee: Decimal;
  readonly freeEvents: number | undefined;
  readonly freeAmount: Decimal | undefined;
  readonly minimum: Decimal | undefined;
  readonly maximum: Decimal | undefined;
}

const A_HUNDREDTH = new Decimal('0.01');

/**
 * A percentage of the value of events, with a fee for each. Free are so many events, or so much value, in the order of the events: without
 * bounds for single events, what is used up first ends both; with them, value that is left free outlives the free events. An event that
 * is free in part pays for the rest, and the fee. Worked: 1 % and 5 for each, 15 free; four events of 4 are 1 % of 1 + 5 = 5.01.
 */
export const percentage: ModelDefinition<PercentagePrice> = {
  check: checkPercentage,
  prepare: (price) => {
    const rules = prepareRules(price);
    return asksForEvents(rules) ? ofEvents(rules) : ofValue(rules);
  },
};

function checkPercentage(price: PercentagePrice, pointer: string): Violation[] {
  const { freeEvents, minimumPerEvent, maximumPerEvent } = price;
  const events = numberOf(freeEvents);
  const maximum = numberOf(maximumPerEvent);
  return [
    ...checkNumber(`${pointer}/percent`, price.percent),
    ...checkOptional(`${pointer}/feePerEvent`, price.feePerEvent),
    ...checkOptional(`${pointer}/freeEvents`, freeEvents),
    ...(events && (!events.isInteger() || events.gt(Number.MAX_SAFE_INTEGER))
      ? [violation(`${pointer}/freeEvents`, 'not_a_whole_number', 'must be a whole number')]
      : []),
    ...checkOptional(`${pointer}/freeAmount`, price.freeAmount),
    ...checkOptional(`${pointer}/minimumPerEvent`, minimumPerEvent),
    ...checkOptional(`${pointer}/maximumPerEvent`, maximumPerEvent),
    ...(maximum && numberOf(minimumPerEvent)?.gt(maximum)
      ? [violation(`${pointer}/minimumPerEvent`, 'minimum_over_maximum', 'must not be above maximumPerEvent')]
      : []),
  ];
}

/** A free allowance of 0 is none, as if it were left out. */
function prepareRules(price: PercentagePrice): Rules {
  const { feePerEvent, minimumPerEvent, maximumPerEvent } = price;
  const freeEvents = Number(price.freeEvents ?? '0');
  const freeAmount = new Decimal(price.freeAmount ?? '0');
  return {
    rate: new Decimal(price.percent).times(A_HUNDREDTH),
    fee: new Decimal(feePerEvent ?? '0'),
    freeEvents: freeEvents === 0 ? undefined : freeEvents,
    freeAmount: freeAmount.isZero() ? undefined : freeAmount,
    minimum: minimumPerEvent == null ? undefined : new Decimal(minimumPerEvent),
    maximum: maximumPerEvent == null ? undefined : new Decimal(maximumPerEvent),
  };
}

const isBounded = ({ minimum, maximum }: Rules): boolean => minimum !== undefined || maximum !== undefined;
const asksForEvents = (rules: Rules): boolean =>
  isBounded(rules) || rules.freeEvents !== undefined || !rules.fee.isZero();

/** Without rules for single events the sum of their values is enough. */
function ofValue(rules: Rules): Model {
  const paid = (value: Decimal): Decimal => {
    const rest = rules.freeAmount === undefined ? value : value.minus(rules.freeAmount);
    return rest.isNegative() ? ZERO : rest;
  };
  return {
    model: 'percentage',
    input: 'quantity',
    due: 'each',
    linear: rules.freeAmount === undefined,
    bends: (upTo) => (rules.freeAmount?.lte(upTo) ? [rules.freeAmount] : []),
    rate: ({ from, to }) => [valuePart(rules, paid(to).minus(paid(from)))],
  };
}

const ofEvents = (rules: Rules): Model => ({
  model: 'percentage',
  input: 'events',
  due: 'each',
  linear: false,
  bends: () => [],
  rate: () => [],
  rateEvents: (events, before) => rateEvents(rules, events, before),
  roundedWhole: isBounded(rules),
});

const valuePart = ({ rate }: Rules, quantity: Decimal): Part => ({
  kind: 'usage',
  label: 'value of events',
  tier: undefined,
  quantity,
  unitPrice: rate,
  amount: quantity.times(rate),
});

interface Paid {
  value: Decimal;
  events: number;
  raised: { events: number; amount: Decimal };
  lowered: { events: number; amount: Decimal };
}

function rateEvents(rules: Rules, events: readonly PricedEvent[], before: EventsBefore): readonly Part[] {
  const none = (): Paid['raised'] => ({ events: 0, amount: ZERO });
  const paid: Paid = { value: ZERO, events: 0, raised: none(), lowered: none() };
  let { count, value: sum } = before;
  for (const { value } of events) {
    const due = dueOf(rules, { count, value: sum }, value);
    if (due !== undefined) payFor(rules, paid, due);
    count++;
    sum = sum.plus(value);
  }
  return partsOf(rules, paid);
}

/**
 * The value of an event that has to be paid, or undefined when the event is free. What came before decides by its count and sum alone, so
 * that a period may be billed in any parts.
 */
function dueOf(rules: Rules, before: EventsBefore, value: Decimal): Decimal | undefined {
  if (!isAllowed(rules, before)) return value;
  const left = rules.freeAmount?.minus(before.value);
  if (left === undefined || value.lte(left)) return undefined;
  return value.minus(left);
}

/** Whether the allowance of free events and free amount is open still. */
function isAllowed(rules: Rules, { count, value }: EventsBefore): boolean {
  const { freeEvents, freeAmount } = rules;
  const outlives = isBounded(rules) && freeAmount !== undefined;
  if (freeEvents !== undefined && count >= freeEvents && !outlives) return false;
  return freeAmount === undefined ? freeEvents !== undefined : value.lte(freeAmount);
}

function payFor(rules: Rules, paid: Paid, value: Decimal): void {
  paid.value = paid.value.plus(value);
  paid.events++;
  if (!isBounded(rules)) return;
  const amount = value.times(rules.rate).plus(rules.fee);
  if (rules.minimum && amount.lt(rules.minimum)) bend(paid.raised, rules.minimum.minus(amount));
  else if (rules.maximum && amount.gt(rules.maximum)) bend(paid.lowered, rules.maximum.minus(amount));
}

function bend(bent: Paid['raised'], by: Decimal): void {
  bent.events++;
  bent.amount = bent.amount.plus(by);
}

function partsOf(rules: Rules, { value, events, raised, lowered }: Paid): readonly Part[] {
  const { fee } = rules;
  const count = new Decimal(events);
  const bounded = (label: string, { events: bent, amount }: Paid['raised']): Part[] =>
    bent === 0
      ? []
      : [
          {
            kind: 'usage',
            label,
            tier: undefined,
            quantity: new Decimal(bent),
            unitPrice: undefined,
            amount,
          },
        ];
  return [
    valuePart(rules, value),
    ...(fee.isZero()
      ? []
      : [
          {
            kind: 'fixed',
            label: 'fee of each event',
            tier: undefined,
            quantity: count,
            unitPrice: fee,
            amount: count.times(fee),
          } as const,
        ]),
    ...bounded('events raised to their minimum', raised),
    ...bounded('events lowered to their maximum', lowered),
  ];
}
