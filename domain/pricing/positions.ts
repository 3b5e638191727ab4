import { ZERO, toDecimalText, type Decimal } from '../money/decimal.ts';
import type { Stretch } from './model.ts';
import type { PreparedCharge } from './prepared-charge.ts';
import { prorateQuantity } from './proration.ts';
import type { Before, Dimensions, RateRequest, Reached } from './usage.ts';
import type { QuantityStage } from './working.ts';

/** Usage that is placed in the period: billable units, and how they were counted where that is not plain. */
export interface Placed {
  readonly stretch: Stretch;
  readonly working: QuantityStage | undefined;
}

interface Measured {
  readonly now: Decimal;
  readonly before: Decimal;
  /** Of the period up to the end, and up to the start of this segment. */
  readonly free: readonly [Decimal, Decimal];
  readonly reached: Decimal | undefined;
  /** Whether nothing of these units was billed before in the period. */
  readonly begins: boolean;
  /** The units of all segments of a period that a change cuts. */
  readonly ofPeriod: Decimal | undefined;
  readonly dimensions: Dimensions | undefined;
}

const notBelowZero = (value: Decimal): Decimal => (value.isNegative() ? ZERO : value);

/** Whether the answer is of the whole period so far, from which what was billed is taken off, and not of a part of it. */
export const isWholePeriod = ({ model }: PreparedCharge, { mode }: RateRequest): boolean =>
  mode === 'cumulative' || model.due === 'last';

/** Nothing was billed and nothing used: fees that are due even without usage have not been due yet. */
export const isFirstBilling = (before: Before | undefined, reached: Reached | undefined): boolean =>
  reached === undefined && (before === undefined || (before.quantity.isZero() && before.amount.isZero()));

/** What is measured before this segment; in a cumulative answer it is part of the usage itself. */
export const quantityBefore = ({ before, mode }: RateRequest): Decimal =>
  before === undefined || mode === 'cumulative' ? ZERO : before.quantity;

/** The free units of the charge, or of the part of the period that is rated. */
export const freeUnits = ({ quantity, prorates }: PreparedCharge, { fraction }: RateRequest): Decimal =>
  fraction && prorates ? prorateQuantity(quantity.free, fraction) : quantity.free;

/** Converted units when so much is measured; a period has no usage below 0. */
export function convertedUnits({ quantity }: PreparedCharge, measured: Decimal): Decimal {
  const units = notBelowZero(measured);
  return quantity.convert ? quantity.convert(units) : units;
}

/** Worked: 15 units after 5, of which 10 are free, are the billable units from 0 to 10. */
export function place(charge: PreparedCharge, request: RateRequest, measured: Measured): Placed {
  const { now, before, free, reached, begins, ofPeriod, dimensions } = measured;
  const convertedBefore = before.isZero() ? ZERO : convertedUnits(charge, before);
  const converted =
    charge.quantity.eachSegment && !before.isZero()
      ? convertedBefore.plus(convertedUnits(charge, now))
      : convertedUnits(charge, before.isZero() ? now : before.plus(now));
  const ownEnd = free[0].isZero() ? converted : notBelowZero(converted.minus(free[0]));
  const ownStart =
    convertedBefore.isZero() || isWholePeriod(charge, request)
      ? ZERO
      : notBelowZero(convertedBefore.minus(free[1]));
  const from = reached ? reached.plus(ownStart) : ownStart;
  const to = reached ? reached.plus(ownEnd) : ownEnd;
  const isPlain = to === now && from.isZero();
  return {
    stretch: stretchOf(request, {
      from,
      to,
      begins: isWholePeriod(charge, request) ? reached === undefined : begins,
      tierQuantity: ofPeriod,
    }),
    working: isPlain
      ? undefined
      : {
          stage: 'quantity',
          ...(dimensions ? { group: dimensions } : {}),
          measured: toDecimalText(now),
          measuredBefore: toDecimalText(before),
          converted: toDecimalText(converted),
          free: toDecimalText(free[0]),
          from: toDecimalText(from),
          to: toDecimalText(to),
        },
  };
}

function stretchOf({ usage, volume }: RateRequest, stretch: Omit<Stretch, 'feeDue'>): Stretch {
  const selecting = 'quantity' in usage ? usage.tierQuantity : undefined;
  return { ...stretch, tierQuantity: selecting ?? stretch.tierQuantity, feeDue: volume?.feeDue ?? true };
}
