import { DECIMAL_DECIMALS, Decimal, ZERO } from '../money/decimal.ts';
import { divide, round } from '../money/rounding.ts';
import { QUANTITY_DECIMALS } from '../metering/quantity.ts';
import type { Violation } from '../violation.ts';
import type { Conversion, QuantityRule } from './charge.ts';
import { checkNumber, checkOptional, violation } from './check-number.ts';

/** From measured to billable units, with its numbers read. */
export interface PreparedQuantity {
  /** Undefined where units are priced as they are measured. */
  readonly convert: ((measured: Decimal) => Decimal) | undefined;
  /** Priced units back to measured ones; rounding is not undone. */
  readonly invert: (units: Decimal) => Decimal;
  readonly eachSegment: boolean;
  readonly free: Decimal;
}

const DECIMALS_MAX = QUANTITY_DECIMALS;

const conversionOf = ({ divideBy, rounding, conversion }: QuantityRule): Conversion | undefined =>
  conversion ??
  (divideBy == null && (rounding == null || rounding === 'none')
    ? undefined
    : { operation: 'divide', factor: divideBy ?? '1', rounding: rounding ?? 'none' });

/** Worked: 1,400 divided by 1,000 and rounded to the `ceiling` is 2, of which 0.5 free leave 1.5. */
export function prepareQuantity(rule: QuantityRule | null | undefined): PreparedQuantity {
  const conversion = rule ? conversionOf(rule) : undefined;
  return {
    convert: conversion && converter(conversion),
    invert: conversion ? inverter(conversion) : (units) => units,
    eachSegment: conversion?.roundingOf === 'segment',
    free: rule?.free == null ? ZERO : new Decimal(rule.free),
  };
}

function converter({
  operation,
  factor,
  rounding,
  decimals,
}: Conversion): ((measured: Decimal) => Decimal) | undefined {
  const by = new Decimal(factor);
  const rounds = rounding != null && rounding !== 'none';
  if (by.eq(1) && !rounds) return undefined;
  // A quotient without an end keeps as many decimals as any number that is given.
  const kept = rounds ? (decimals ?? 0) : DECIMAL_DECIMALS;
  const mode = rounds ? rounding : 'halfUp';
  if (operation === 'divide') return (measured) => divide(measured, by, { decimals: kept, rounding: mode });
  return rounds ? (measured) => round(measured.times(by), kept, mode) : (measured) => measured.times(by);
}

function inverter({ operation, factor }: Conversion): (units: Decimal) => Decimal {
  const by = new Decimal(factor);
  return operation === 'divide'
    ? (units) => units.times(by)
    : (units) => divide(units, by, { decimals: QUANTITY_DECIMALS, rounding: 'halfUp' });
}

export function checkQuantityRule(rule: QuantityRule, pointer: string): Violation[] {
  const { divideBy, rounding, conversion, free } = rule;
  return [
    ...checkOptional(`${pointer}/divideBy`, divideBy, 'positive'),
    ...checkOptional(`${pointer}/free`, free),
    ...(conversion ? checkConversion(conversion, `${pointer}/conversion`) : []),
    ...(conversion && (divideBy != null || (rounding != null && rounding !== 'none'))
      ? [
          violation(
            `${pointer}/conversion`,
            'two_conversions',
            'says the same as divideBy and rounding: give one of them',
          ),
        ]
      : []),
  ];
}

const checkConversion = ({ factor, decimals }: Conversion, pointer: string): Violation[] => [
  ...checkNumber(`${pointer}/factor`, factor, 'positive'),
  ...(decimals != null && (!Number.isInteger(decimals) || Math.abs(decimals) > DECIMALS_MAX)
    ? [
        violation(
          `${pointer}/decimals`,
          'out_of_range',
          `must be a whole number from -${DECIMALS_MAX} to ${DECIMALS_MAX}`,
        ),
      ]
    : []),
];
