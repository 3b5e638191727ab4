import type { InvoiceStage } from '#domain/invoicing/invoice-stage.ts';
import type { WorkingPart } from '#domain/pricing/working.ts';
import type { BillLine } from './bill.ts';
import { amountText, fromMinorUnits, inMinorUnits, isSame, ratioOf } from './ratio.ts';
import { groupedText } from './table.ts';

/** Of units or a fee, not of what a discount, maximum or minimum changes. */
const isPriced = ({ kind }: BillLine): boolean => kind === 'usage' || kind === 'fixed';

export const nameOf = ({ description, dimensions = {} }: BillLine): string =>
  [description, ...Object.entries(dimensions).map(([name, value]) => `${name} ${value || '(none)'}`)].join(
    ', ',
  );

export function unitPriceOf(line: BillLine, decimals: number): string {
  const { unitPrice, working } = line;
  if (!isPriced(line)) return '';
  if (unitPrice !== null && isPlain(line)) return groupedText(unitPrice, decimals);
  const [first, ...others] = partsOf(working);
  return others.length > 0 ? 'tiers' : (first?.label ?? '');
}

/** Its amount is its quantity times its unit price. */
const isPlain = ({ quantity, unitPrice, working }: BillLine): boolean =>
  unitPrice !== null && partsOf(working)[0]?.quantity === quantity;

const partsOf = (working: readonly InvoiceStage[]): readonly WorkingPart[] =>
  working.flatMap((stage) => (stage.stage === 'price' ? stage.parts : []));

/** What a line does not say by itself: conversion, free units, tiers and packages, and the digits before it was rounded. */
export function workingOf(line: BillLine, decimals: number): string[] {
  const stages = isPriced(line) ? line.working : line.working.slice(-1);
  return stages.flatMap((stage) => tellStage(stage, line, decimals));
}

function tellStage(stage: InvoiceStage, line: BillLine, decimals: number): string[] {
  switch (stage.stage) {
    case 'quantity':
      return tellQuantity(stage);
    case 'price':
      return tellPrice(stage, isPlain(line), decimals);
    case 'percentDiscount':
      return [`less ${stage.percent} % it is ${toRounded(stage.amount, decimals)}`];
    case 'fixedDiscount':
      return [
        `less ${groupedText(stage.available, decimals)}, but not below 0, it is ${toRounded(stage.amount, decimals)}`,
      ];
    case 'maximum':
      return [`lowered to the maximum of ${groupedText(stage.maximum, decimals)}`];
    case 'minimum':
      return [`raised to the minimum of ${groupedText(stage.minimum, decimals)}`];
    case 'rounding':
    case 'billedBefore':
    case 'notDue':
    case 'billed':
    case 'stillDue':
    case 'planMinimum':
    case 'planOverage':
    case 'planMaximum':
      return [];
  }
}

type Stage<Name extends InvoiceStage['stage']> = Extract<InvoiceStage, { readonly stage: Name }>;

function tellQuantity({ measured, converted, free }: Stage<'quantity'>): string[] {
  const told = [
    ...(converted === measured ? [] : [`converted to ${groupedText(converted)}`]),
    ...(free === '0' ? [] : [`${groupedText(free)} of them free`]),
  ];
  return told.length === 0 ? [] : [[`${groupedText(measured)} measured`, ...told].join(', ')];
}

/** One price for all of a quantity is told by the line, but for the digits that were rounded. */
function tellPrice(
  { parts, amount, rounded }: Stage<'price'>,
  isToldByLine: boolean,
  decimals: number,
): string[] {
  const sums = parts.map(({ label, quantity, unitPrice, amount }) => {
    const sum = unitPrice === null ? [] : [groupedText(quantity), '×', groupedText(unitPrice, decimals), '='];
    return [...(isToldByLine ? [] : [`${label}:`]), ...sum, groupedText(amount, decimals)].join(' ');
  });
  if (isToldByLine) return rounded === undefined ? [] : sums;
  return parts.length > 1 ? [...sums, `together ${toRounded(amount, decimals)}`] : sums;
}

/** An exact amount, and what it is rounded to if that is another. */
function toRounded(amount: string, decimals: number): string {
  const exact = ratioOf(amount);
  const units = inMinorUnits(exact, decimals);
  const rounded = isSame(exact, fromMinorUnits(units, decimals))
    ? ''
    : `, rounded to ${amountText(units, decimals)}`;
  return `${groupedText(amount, decimals)}${rounded}`;
}
