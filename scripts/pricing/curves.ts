import type { Charge, MatrixPrice } from '#domain/pricing/charge.ts';
import { evaluatePrice } from '#domain/pricing/evaluate-price.ts';
import type { EvaluatedUsage, PriceEvaluation } from '#domain/pricing/evaluation.ts';
import { priceCurve } from '#domain/pricing/price-curve.ts';
import { Decimal, ZERO, toDecimalText } from '#domain/money/decimal.ts';
import { axisUpTo, type Axis } from './axis.ts';

/** Floating point from here on: these are places in a picture, no longer amounts. */
export type Point = readonly [quantity: number, amount: number];

export interface Curve {
  /** Which group it is of; undefined where there is one curve only. */
  readonly name: string | undefined;
  readonly points: readonly Point[];
  /** The worked example. */
  readonly example: Point;
}

export interface Curves {
  readonly quantities: Axis;
  readonly amounts: Axis;
  readonly curves: readonly Curve[];
}

/** Steps of an axis, more of which would not leave room for their numbers. */
const QUANTITY_STEPS = 4;
const AMOUNT_STEPS = 4;
/** The example stands in the middle. */
const BEYOND_EXAMPLE = 2;
/** One for each unit of the picture's width: bends by a maximum or a minimum have no points of their own. */
const POINTS = 400;

/** The price curves of an example: one, or one for each group of a matrix. */
export function curvesOf(question: PriceEvaluation): Curves {
  const pieces = piecesOf(question);
  const most = Math.max(...pieces.map(({ quantity }) => quantity.toNumber()));
  const quantities = axisUpTo(most * BEYOND_EXAMPLE, QUANTITY_STEPS);
  const { currency } = question;
  const curves = pieces.map(({ name, charge, quantity }): Curve => {
    const { points } = priceCurve({ currency, charge, to: String(quantities.end), steps: POINTS });
    const { amount } = evaluatePrice({ currency, charge, usage: { quantity: toDecimalText(quantity) } });
    return {
      name,
      points: points.map((point): Point => [Number(point.quantity), Number(point.amount)]),
      example: [quantity.toNumber(), Number(amount)],
    };
  });
  const highest = Math.max(...curves.flatMap(({ points }) => points.map(([, amount]) => amount)));
  return { quantities, amounts: axisUpTo(highest, AMOUNT_STEPS), curves };
}

interface Piece {
  readonly name: string | undefined;
  readonly charge: Charge;
  readonly quantity: Decimal;
}

function piecesOf({ charge, usage }: PriceEvaluation): readonly Piece[] {
  const { price } = charge;
  if (price.model !== 'matrix' || !('groups' in usage))
    return [{ name: undefined, charge, quantity: quantityOf(usage) }];
  return usage.groups.map(({ dimensions, quantity }) => ({
    name: Object.values(dimensions).join(', '),
    charge: { ...charge, price: { model: 'perUnit', unitPrice: cellPrice(price, dimensions) } },
    quantity: new Decimal(quantity),
  }));
}

/** A group of a matrix is priced by the unit. */
const cellPrice = (
  { dimensions: names, cells, defaultUnitPrice }: MatrixPrice,
  group: Readonly<Record<string, string>>,
): string =>
  cells.find(({ match }) => names.every((name) => match[name] === group[name]))?.unitPrice ??
  defaultUnitPrice ??
  '0';

function quantityOf(usage: EvaluatedUsage): Decimal {
  if ('quantity' in usage) return new Decimal(usage.quantity);
  if ('seats' in usage) return new Decimal(usage.seats);
  const values =
    'events' in usage ? usage.events.map(({ value }) => value) : usage.groups.map(({ quantity }) => quantity);
  return values.reduce((sum, value) => sum.plus(value), ZERO);
}
