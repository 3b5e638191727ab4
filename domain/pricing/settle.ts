import { HUNDRED, ONE, ZERO, toDecimalText, type Decimal } from '../money/decimal.ts';
import { round } from '../money/rounding.ts';
import { violation } from './check-number.ts';
import type { Part } from './model.ts';
import type { PreparedCharge } from './prepared-charge.ts';
import type { Priced, PricedLine } from './price-lines.ts';
import { PricingError } from './pricing-error.ts';
import { prorateAmount } from './proration.ts';
import { isWholePeriod } from './positions.ts';
import type { Dimensions, RateRequest, RoundingScope } from './usage.ts';
import type { PriceStage, WorkingPart, WorkingStage } from './working.ts';

export const LINE_KINDS = ['usage', 'fixed', 'discount', 'maximum', 'minimum'] as const;

export interface RatedLine {
  readonly kind: (typeof LINE_KINDS)[number];
  readonly description: string;
  readonly dimensions: Dimensions | undefined;
  readonly quantity: Decimal | undefined;
  readonly unitPrice: Decimal | undefined;
  /** Rounded; the lines sum to the amount. */
  readonly amount: Decimal;
}

/** The amount as the stages go on: `exact` is what the next stage takes, `rounded` what the lines so far sum to. */
interface Bill {
  readonly charge: PreparedCharge;
  readonly request: RateRequest;
  readonly scope: RoundingScope;
  readonly lines: RatedLine[];
  readonly working: WorkingStage[];
  exact: Decimal;
  rounded: Decimal;
}

export interface Settled {
  readonly amount: Decimal;
  /** Before discounts, maximum and minimum, rounded. */
  readonly gross: Decimal;
  readonly lines: readonly RatedLine[];
  readonly working: readonly WorkingStage[];
}

/**
 * From exact prices to rounded lines, in the order of the stages: percentage discount, fixed discount, maximum, minimum. A line that is
 * by itself stays exact until the last of them, and what each stage takes off is the difference of the rounded amounts before and after
 * it: so the lines sum to an amount that was rounded once.
 */
export function settle(charge: PreparedCharge, request: RateRequest, priced: Priced): Settled {
  const scope = scopeOf(charge, request);
  const bill: Bill = { charge, request, scope, lines: [], working: [], exact: ZERO, rounded: ZERO };
  const { lines } = priced;
  for (const line of lines) addLine(bill, line);
  if (lines.length > 1 || scope === 'tier') bill.exact = bill.rounded;
  const gross = bill.rounded;
  if (charge.discountRate) discountByRate(bill, charge.discountRate, lines);
  if (charge.discountAmount) discountByAmount(bill, charge.discountAmount, priced);
  if (charge.maximum) capAt(bill, charge.maximum);
  if (scope !== 'none' && bill.exact !== bill.rounded) tellRounding(bill, scope);
  if (charge.minimum) raiseTo(bill, charge.minimum);
  takeOffBilled(bill);
  return { amount: bill.rounded, gross, lines: bill.lines, working: bill.working };
}

const scopeOf = ({ model }: PreparedCharge, { rounding = 'line' }: RateRequest): RoundingScope =>
  rounding === 'tier' && model.roundedWhole === true ? 'line' : rounding;

/** Most amounts of a price list are whole minor units already. */
function roundAmount({ scope, request: { decimals } }: Bill, value: Decimal): Decimal {
  if (scope === 'none' || value.decimalPlaces() <= decimals) return value;
  return round(value, decimals);
}

function addLine(bill: Bill, line: PricedLine): void {
  const { parts } = line;
  const only = parts.length === 1 ? parts[0] : undefined;
  const exact = only ? only.amount : sumOf(parts.map(({ amount }) => amount));
  const byPart = bill.scope === 'tier';
  const roundedParts = byPart ? parts.map(({ amount }) => roundAmount(bill, amount)) : undefined;
  const rounded = roundedParts ? sumOf(roundedParts) : roundAmount(bill, exact);
  if (line.placed) bill.working.push(line.placed);
  bill.working.push(priceStage(bill, line, { exact, rounded, roundedParts }));
  if (roundedParts) addPartLines(bill, line, roundedParts);
  else {
    bill.lines.push({
      kind: parts.length > 0 && parts.every(({ kind }) => kind === 'fixed') ? 'fixed' : 'usage',
      description: bill.charge.name,
      dimensions: line.dimensions,
      quantity: line.quantity,
      unitPrice: only?.unitPrice,
      amount: rounded,
    });
  }
  // Of use where the line is by itself; of several, the rounded ones are summed.
  bill.exact = exact;
  bill.rounded = bill.rounded.isZero() ? rounded : bill.rounded.plus(rounded);
}

function addPartLines(
  { lines, charge }: Bill,
  { parts, dimensions }: PricedLine,
  rounded: readonly Decimal[],
): void {
  parts.forEach(({ kind, label, quantity, unitPrice }, index) => {
    const amount = rounded[index] ?? ZERO;
    lines.push({ kind, description: `${charge.name}, ${label}`, dimensions, quantity, unitPrice, amount });
  });
}

interface LineAmounts {
  readonly exact: Decimal;
  readonly rounded: Decimal;
  readonly roundedParts: readonly Decimal[] | undefined;
}

function priceStage(
  { charge, request }: Bill,
  { dimensions, parts }: PricedLine,
  { exact, rounded, roundedParts }: LineAmounts,
): PriceStage {
  const { fraction, usage } = request;
  const isFee = charge.model.model === 'flat' || 'seats' in usage;
  const told = parts.map((part, index) => workingPart(part, roundedParts?.[index]));
  // The amount of a part by itself is that of the line: its text is made once.
  const only = told.length === 1 ? told[0] : undefined;
  return {
    stage: 'price',
    ...(dimensions ? { group: dimensions } : undefined),
    model: charge.model.model,
    parts: told,
    ...(isFee && fraction && charge.prorates
      ? { fraction: `${fraction.numerator}/${fraction.denominator}` }
      : undefined),
    amount: only?.amount ?? toDecimalText(exact),
    ...(rounded === exact ? undefined : { rounded: toDecimalText(rounded) }),
  };
}

const workingPart = (
  { kind, label, tier, quantity, unitPrice, amount }: Part,
  rounded: Decimal | undefined,
): WorkingPart => ({
  kind,
  label,
  ...(tier === undefined ? undefined : { tier }),
  quantity: toDecimalText(quantity),
  unitPrice: unitPrice === undefined ? null : toDecimalText(unitPrice),
  amount: toDecimalText(amount),
  ...(rounded === undefined ? undefined : { rounded: toDecimalText(rounded) }),
});

/** Takes the amount to what a stage makes of it; the line has the difference of what is rounded. */
function moveTo(bill: Bill, kind: RatedLine['kind'], description: string, to: Decimal): void {
  const rounded = roundAmount(bill, to);
  const amount = rounded.minus(bill.rounded);
  if (!amount.isZero()) bill.lines.push(extraLine(kind, description, amount));
  bill.exact = to;
  bill.rounded = rounded;
}

const extraLine = (kind: RatedLine['kind'], description: string, amount: Decimal): RatedLine => ({
  kind,
  description,
  dimensions: undefined,
  quantity: undefined,
  unitPrice: undefined,
  amount,
});

/** Each line is discounted by itself, and so is each part of it where parts are rounded. */
function discountByRate(bill: Bill, rate: Decimal, priced: readonly PricedLine[]): void {
  const percent = toDecimalText(rate.times(HUNDRED));
  moveTo(bill, 'discount', `${percent} % discount`, afterRate(bill, rate, priced));
  bill.working.push({ stage: 'percentDiscount', percent, amount: toDecimalText(bill.exact) });
}

function afterRate(bill: Bill, rate: Decimal, priced: readonly PricedLine[]): Decimal {
  const rest = ONE.minus(rate);
  if (bill.scope === 'tier') {
    const amounts = priced.flatMap(({ parts }) => parts.map(({ amount }) => roundAmount(bill, amount)));
    return sumOf(amounts.map((amount) => amount.minus(roundAmount(bill, amount.times(rate)))));
  }
  if (priced.length <= 1) return bill.exact.times(rest);
  const amounts = priced.map(({ parts }) => sumOf(parts.map(({ amount }) => amount)).times(rest));
  return sumOf(amounts.map((amount) => roundAmount(bill, amount)));
}

const prorated = ({ charge, request: { fraction } }: Bill, amount: Decimal): Decimal =>
  fraction && charge.prorates ? prorateAmount(amount, fraction) : amount;

/** The rest of a fixed discount, never more than there is to pay. */
function discountByAmount(bill: Bill, discount: Decimal, priced: Priced): void {
  const whole = prorated(bill, discount);
  const used = usedBefore(bill, whole, priced);
  const available = whole.minus(used);
  const rest = bill.exact.minus(available);
  const after = bill.exact.isNegative() ? bill.exact : rest.isNegative() ? ZERO : rest;
  moveTo(bill, 'discount', 'discount', after);
  bill.working.push({
    stage: 'fixedDiscount',
    available: toDecimalText(available),
    amount: toDecimalText(bill.exact),
  });
}

/** As soon as anything was left to pay, the discount was used up. */
function usedBefore({ charge, request }: Bill, discount: Decimal, { grossBefore }: Priced): Decimal {
  const { before } = request;
  if (before === undefined || isWholePeriod(charge, request) || charge.model.due === 'once') return ZERO;
  if (before.amount.gt(0)) return discount;
  const gross = before.gross ?? grossBefore?.();
  if (gross === undefined) throw grossNeeded();
  const net = charge.discountRate ? gross.times(ONE.minus(charge.discountRate)) : gross;
  return net.gt(discount) ? discount : net;
}

const grossNeeded = (): PricingError =>
  new PricingError('usage_not_ratable', [
    violation(
      '/before/gross',
      'gross_needed',
      'must say what came before discounts: a fixed discount goes on',
    ),
  ]);

/** What was billed in the period counts toward the maximum. */
function capAt(bill: Bill, maximum: Decimal): void {
  const { charge, request } = bill;
  const whole = prorated(bill, maximum);
  const billed = isWholePeriod(charge, request) ? ZERO : billedBefore(bill);
  const left = whole.minus(billed);
  const limit = left.isNegative() ? ZERO : left;
  moveTo(bill, 'maximum', 'maximum', bill.exact.gt(limit) ? limit : bill.exact);
  bill.working.push({
    stage: 'maximum',
    maximum: toDecimalText(whole),
    billedBefore: toDecimalText(billed),
    amount: toDecimalText(bill.exact),
  });
}

function tellRounding(
  { working, exact, rounded, request: { decimals } }: Bill,
  scope: 'line' | 'tier',
): void {
  working.push({
    stage: 'rounding',
    scope,
    decimals,
    rounding: 'halfUp',
    amount: toDecimalText(exact),
    rounded: toDecimalText(rounded),
  });
}

const billedBefore = ({ request: { before } }: Bill): Decimal => before?.amount ?? ZERO;

/** The true-up to the minimum of a period, due with its last segment. */
function raiseTo(bill: Bill, minimum: Decimal): void {
  const { charge, request } = bill;
  if (!endsPeriod(request)) return;
  const whole = prorated(bill, minimum);
  const billed = isWholePeriod(charge, request) ? ZERO : billedBefore(bill);
  const missing = whole.minus(billed).minus(bill.rounded);
  const reached = bill.rounded;
  const trueUp = missing.gt(0) ? roundAmount(bill, missing) : ZERO;
  if (!trueUp.isZero()) bill.lines.push(extraLine('minimum', 'true-up to the minimum', trueUp));
  bill.rounded = reached.plus(trueUp);
  bill.working.push({
    stage: 'minimum',
    minimum: toDecimalText(whole),
    billedBefore: toDecimalText(billed),
    reached: toDecimalText(reached),
    trueUp: toDecimalText(trueUp),
  });
}

export const endsPeriod = ({ segment = 'full' }: RateRequest): boolean =>
  segment === 'full' || segment === 'last';

/** What the whole period comes to, less what of it was billed; below 0 where it was too much. */
function takeOffBilled(bill: Bill): void {
  const { charge, request } = bill;
  const billed = billedBefore(bill);
  if (billed.isZero() || !isWholePeriod(charge, request)) return;
  if (request.mode !== 'cumulative' && !endsPeriod(request)) return;
  bill.lines.push({
    ...extraLine('usage', 'billed before', billed.neg()),
    quantity: request.before?.quantity.isZero() === false ? request.before.quantity.neg() : undefined,
  });
  bill.rounded = bill.rounded.minus(billed);
  bill.working.push({ stage: 'billedBefore', amount: toDecimalText(billed) });
}

function sumOf(amounts: readonly Decimal[]): Decimal {
  let total = amounts[0] ?? ZERO;
  for (let at = 1; at < amounts.length; at++) total = total.plus(amounts[at] ?? ZERO);
  return total;
}
