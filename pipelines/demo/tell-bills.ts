import type { WorkingPart, WorkingStage } from '#domain/pricing/working.ts';
import type { CheckedBill } from './bill-check.ts';
import type { BillAnswer, BillLine } from './bill.ts';
import { decimalsOf } from './expected-bill.ts';
import { amountText, fromMinorUnits, inMinorUnits, isSame, NOTHING, plus, ratioOf } from './ratio.ts';
import { aligned, groupedText } from './table.ts';

/** The first customer's bill line by line, each with its working; what the others must pay in a line each; and whether all are right. */
export function tellBills(bills: readonly CheckedBill[]): string[] {
  const [first, ...others] = bills.map(({ bill }) => bill);
  if (first === undefined) return [];
  return [
    `  the bill of ${first.customer} for all it used from ${first.period.from} to ${first.period.to}, in ${first.currency}; indented, how a line came about:`,
    '',
    ...tellBill(first),
    ...(others.length === 0 ? [] : ['', `  the bills of the others, by charge:`, '', ...tellShort(others)]),
    '',
    ...tellCheck(bills),
  ];
}

function tellBill({ currency, lines, totals }: BillAnswer): string[] {
  const decimals = decimalsOf(currency);
  const names = new Map(lines.filter(isPriced).map(({ charge, description }) => [charge, description]));
  const [header = '', ...rows] = aligned([
    ['', 'quantity', 'unit price', 'amount'],
    ...lines.map((line) => [
      isPriced(line) ? nameOf(line) : `${names.get(line.charge) ?? line.charge}: ${line.description}`,
      line.quantity === null ? '' : groupedText(line.quantity),
      unitPriceOf(line, decimals),
      groupedText(line.amount, decimals),
    ]),
    ['Total', '', '', groupedText(totals.total, decimals)],
  ]);
  const workings = lines.map((line) => workingOf(line, decimals));
  return [
    header,
    ...rows.flatMap((row, index) => [row, ...(workings[index] ?? []).map((text) => `        ${text}`)]),
  ];
}

/** Of units or a fee, not of what a discount, maximum or minimum changes. */
const isPriced = ({ kind }: BillLine): boolean => kind === 'usage' || kind === 'fixed';

const nameOf = ({ description, dimensions = {} }: BillLine): string =>
  [description, ...Object.entries(dimensions).map(([name, value]) => `${name} ${value || '(none)'}`)].join(
    ', ',
  );

function unitPriceOf(line: BillLine, decimals: number): string {
  const { unitPrice, working } = line;
  if (!isPriced(line)) return '';
  if (unitPrice === null) return 'tiers';
  return isPlain(line) ? groupedText(unitPrice, decimals) : (partsOf(working)[0]?.label ?? '');
}

/** Its amount is its quantity times its unit price. */
const isPlain = ({ quantity, unitPrice, working }: BillLine): boolean =>
  unitPrice !== null && partsOf(working)[0]?.quantity === quantity;

const partsOf = (working: readonly WorkingStage[]): readonly WorkingPart[] =>
  working.flatMap((stage) => (stage.stage === 'price' ? stage.parts : []));

/** What a line does not say by itself: conversion, free units, tiers and packages, and the digits before it was rounded. */
function workingOf(line: BillLine, decimals: number): string[] {
  const stages = isPriced(line) ? line.working : line.working.slice(-1);
  return stages.flatMap((stage) => tellStage(stage, line, decimals));
}

function tellStage(stage: WorkingStage, line: BillLine, decimals: number): string[] {
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
      return [];
  }
}

type Stage<Name extends WorkingStage['stage']> = Extract<WorkingStage, { readonly stage: Name }>;

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

const MARKS: Readonly<Partial<Record<BillLine['kind'], string>>> = { minimum: '↑', maximum: '↓' };

/** A row a customer, a column a charge: all of its lines together, marked where its minimum or maximum decided. */
function tellShort(bills: readonly BillAnswer[]): string[] {
  const charges = [...new Set(bills.flatMap(({ lines }) => lines.map(({ charge }) => charge)))];
  const rows = bills.map(({ customer, currency, lines, totals }) => {
    const decimals = decimalsOf(currency);
    const cells = charges.map((charge) =>
      chargeCell(
        lines.filter((line) => line.charge === charge),
        decimals,
      ),
    );
    return [customer, ...cells, groupedText(totals.total, decimals)];
  });
  const legend = Object.entries({ '↑': "raised to a charge's minimum", '↓': "lowered to a charge's maximum" })
    .filter(([mark]) => rows.flat().some((cell) => cell.startsWith(mark)))
    .map(([mark, meaning]) => `${mark} ${meaning}`);
  return [
    ...aligned([['', ...charges, 'total'], ...rows]),
    ...(legend.length === 0 ? [] : [`    ${legend.join(', ')}`]),
  ];
}

function chargeCell(lines: readonly BillLine[], decimals: number): string {
  const sum = lines.map(({ amount }) => ratioOf(amount)).reduce(plus, NOTHING);
  const marks = lines.map(({ kind }) => MARKS[kind] ?? '').join('');
  return `${marks}${groupedText(amountText(inMinorUnits(sum, decimals), decimals), decimals)}`;
}

function tellCheck(bills: readonly CheckedBill[]): string[] {
  const lines = bills.reduce((sum, { bill }) => sum + bill.lines.length, 0);
  const areEqual = bills.every(({ different }) => different.length === 0);
  const whose = bills.length === 1 ? 'the one customer' : `all ${bills.length} customers`;
  return [
    `  the bills       ${areEqual ? `of ${whose}, ${lines} lines and their totals, equal to the cent what simple arithmetic makes of the independent count` : 'DIFFER from what simple arithmetic makes of the independent count:'}`,
    ...bills.flatMap(({ bill, different }) =>
      different.map(
        ({ what, found, expected }) =>
          `    ${bill.customer}, ${what}: billed ${found ?? 'nothing'}, independently ${expected ?? 'nothing'}`,
      ),
    ),
  ];
}

/** The same for a program: every bill, and the first one under the name that an invoice will have; nothing has a number yet. */
export function billsToJson(bills: readonly CheckedBill[]): object {
  const documents = bills.map(({ bill: { customer, currency, period, totals, lines } }) => ({
    number: null,
    customer,
    currency,
    period,
    total: totals.total,
    lines,
  }));
  return { invoice: documents[0] ?? null, bills: documents };
}
