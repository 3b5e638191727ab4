import { fractionOf, shareOf } from '../calendar/proration.ts';
import type { TimeZone } from '../calendar/time-zone.ts';
import type { Instant } from '../instant.ts';
import { fraction, isWhole, multiplyFractions, type Fraction } from '../money/fraction.ts';
import { toDecimalText, ZERO, type Decimal } from '../money/decimal.ts';
import type { PlanCharge } from '../plans/plan-version.ts';
import { prepareCharge, type PreparedCharge } from '../pricing/prepared-charge.ts';
import { rateCharge, type RatedCharge } from '../pricing/rate-charge.ts';
import { rateSegments, type ChangeSegment } from '../pricing/rate-segments.ts';
import type { ChargeItem, ItemSegment } from '../subscriptions/billing-item.ts';
import type { ChargeLine } from './due-line.ts';
import type { ItemInputs, MeasuredUsage } from './invoice-inputs.ts';
import { workedLines, type WorkedLine } from './line-working.ts';
import { toUsage, usageOfLines, type UsageOfLine } from './measured-usage.ts';
import type { TaxRate } from './tax-rate.ts';

/** What holds for all items of a subscription. */
export interface ItemRules {
  /** In whose calendar days are counted. */
  readonly zone: TimeZone;
  /** Of the currency's minor unit. */
  readonly decimals: number;
  /** The taxes in force for a charge, or for what is of none. */
  readonly taxRatesOf: (charge: PlanCharge | null) => readonly TaxRate[];
}

/** Whether all of an item is rated. Of one that goes on only what is used so far is due, and nothing that is due with its end. */
export const isComplete = ({ period }: ChargeItem, through: Instant): boolean => through >= period.to;

/**
 * What is due for a charge from the beginning of its item up to `through`, whatever was billed of it: the lines of its segments in order, of
 * groups by their values. The beginning of an item is rated with the tiers, free units and discounts of the whole, so the next
 * time goes on where this one ended. Worked: 100 free of a month and 150 used by the 10th are 50 units to pay by the 10th.
 */
export function rateItem(
  item: ChargeItem,
  { through, usage }: Pick<ItemInputs, 'through' | 'usage'>,
  rules: ItemRules,
): ChargeLine[] {
  const parts = ratedParts(item, through).map((segment, index) =>
    measure(item, segment, measuredOf(item, usage, index), rules.zone),
  );
  const rated = rateParts(parts, rules.decimals, item.kind === 'usage' && !isComplete(item, through));
  return rated.flatMap((one, index) => {
    const part = parts[index];
    return part ? linesOf(one, part, rules) : [];
  });
}

interface MeasuredPart extends ChangeSegment {
  readonly segment: ItemSegment;
  readonly usageOfLine: UsageOfLine;
}

/**
 * The segments that an item is rated in, cut to `through`; a fee is due for all of its time. A fee without proration is due once, whatever changes:
 * as it begins if it is due in advance, as it ends if in arrears.
 */
function ratedParts(item: ChargeItem, through: Instant): readonly ItemSegment[] {
  const { kind, segments } = item;
  if (kind === 'usage')
    return segments
      .filter(({ from }) => from < through)
      .map((segment) => (segment.to > through ? { ...segment, to: through } : segment));
  const [first] = segments;
  const last = segments.at(-1) ?? first;
  if (kind === 'once') return [{ ...first, to: last.to }];
  if (first.charge.proration !== 'none') return segments;
  const due = first.charge.timing === 'inAdvance' ? first : last;
  return [{ ...due, from: item.period.from, to: item.period.to }];
}

function measuredOf({ id, kind }: ChargeItem, usage: readonly MeasuredUsage[], index: number): MeasuredUsage {
  if (kind !== 'usage') return { kind: 'none' };
  const measured = usage[index];
  if (!measured) throw new Error(`item ${id} has no usage of its segment ${index}`);
  return measured;
}

function measure(
  item: ChargeItem,
  segment: ItemSegment,
  measured: MeasuredUsage,
  zone: TimeZone,
): MeasuredPart {
  const { price, seats } = segment;
  const isShared = sharesAllowances(item, segment);
  const used: MeasuredUsage = item.kind !== 'usage' && seats !== null ? { kind: 'seats', seats } : measured;
  return {
    segment,
    charge: isShared ? prepareCharge(shared(segment.charge), price) : preparedCharge(segment.charge, price),
    usage: toUsage(used, partMeasured(item, segment, zone)),
    fraction: fractionOfSegment(item, segment, zone),
    usageOfLine: usageOfLines(used),
  };
}

/**
 * Without proration a part of a period has free units, discounts, minimum and maximum in full, but has them once: where a change cuts it, its
 * segments share them by their time.
 */
const sharesAllowances = ({ kind, segments }: ChargeItem, { charge }: ItemSegment): boolean =>
  kind === 'usage' && segments.length > 1 && charge.proration === 'none';

const shared = (charge: PlanCharge): PlanCharge => ({ ...charge, proration: 'exact' });

/** A segment that is cut to `through` is still as much of the period as all of it is. */
function fractionOfSegment(item: ChargeItem, segment: ItemSegment, zone: TimeZone): Fraction {
  const { kind, period } = item;
  const { from, to } = uncut(item, segment);
  if (sharesAllowances(item, segment))
    return fractionOf(shareOf({ from, to }, period, zone, { basis: 'exact' }));
  const basis = kind === 'once' ? 'none' : (segment.charge.proration ?? 'exact');
  return fractionOf(shareOf({ from, to }, period.period, zone, { basis }));
}

/** Only usage is cut; a fee that is due once may be for longer than any of its segments. */
const uncut = ({ kind, segments }: ChargeItem, segment: ItemSegment): ItemSegment =>
  (kind === 'usage' ? segments.find(({ from }) => from === segment.from) : undefined) ?? segment;

/** The part of the period that a segment is measured over, which ends where it is cut. */
function partMeasured(item: ChargeItem, segment: ItemSegment, zone: TimeZone): Fraction {
  const { from, to } = uncut(item, segment);
  const whole = fractionOfSegment(item, segment, zone);
  return to === segment.to
    ? whole
    : multiplyFractions(whole, fraction(BigInt(segment.to - from), BigInt(to - from)));
}

function rateParts(
  parts: readonly MeasuredPart[],
  decimals: number,
  goesOn: boolean,
): readonly RatedCharge[] {
  const [only] = parts;
  // A whole period is no part of itself: its working need not say so.
  return only && parts.length === 1 && isWhole(only.fraction) && !goesOn
    ? [rateCharge(only.charge, { usage: only.usage, decimals })]
    : rateSegments({ segments: parts, decimals, goesOn });
}

function linesOf(
  rated: RatedCharge,
  { segment, charge, usage, usageOfLine }: MeasuredPart,
  rules: ItemRules,
): ChargeLine[] {
  const nothing = 'groups' in usage && rated.lines.length === 0 ? [nothingUsed(rated, charge)] : [];
  const taxRates = rules.taxRatesOf(segment.charge);
  return [...workedLines(rated, rules.decimals), ...nothing].map((line) => {
    const { kind, dimensions, quantity, unitPrice, amount, working } = line;
    const isPriced = kind === 'usage' || kind === 'fixed';
    return {
      // Seats are no usage: no events are behind them.
      kind: isPriced && 'seats' in usage ? 'fixed' : kind,
      charge: segment.charge.key,
      plan: segment.plan,
      planVersion: segment.version,
      description: isPriced ? line.description : `${charge.name}: ${line.description}`,
      period: { from: segment.from, to: segment.to },
      ...(dimensions ? { dimensions } : {}),
      quantity: textOf(quantity),
      unitPrice: isPriceOfUnits(line) ? textOf(unitPrice) : null,
      amount,
      taxRates,
      working,
      usage: isPriced ? usageOfLine(dimensions) : null,
    };
  });
}

/** What is sold in packages has no price for each of its units, which are the quantity of its line. */
const isPriceOfUnits = ({ quantity, working }: WorkedLine): boolean =>
  working.every(
    (stage) => stage.stage !== 'price' || stage.parts.every((part) => quantity?.eq(part.quantity) ?? true),
  );

/** Where no group used anything, the invoice says so: every moment of a charge is on some line. */
const nothingUsed = ({ working }: RatedCharge, { name }: PreparedCharge): WorkedLine => ({
  kind: 'usage',
  description: name,
  dimensions: undefined,
  quantity: ZERO,
  unitPrice: undefined,
  amount: ZERO,
  working,
});

const textOf = (value: Decimal | undefined): string | null =>
  value === undefined ? null : toDecimalText(value);

/** Charges are plain data that many subscriptions share: each is checked and read once. */
const prepared = new WeakMap<PlanCharge, WeakMap<ItemSegment['price'], PreparedCharge>>();

function preparedCharge(charge: PlanCharge, price: ItemSegment['price']): PreparedCharge {
  let byPrice = prepared.get(charge);
  if (!byPrice) prepared.set(charge, (byPrice = new WeakMap()));
  let found = byPrice.get(price);
  if (!found) byPrice.set(price, (found = prepareCharge(charge, price)));
  return found;
}
