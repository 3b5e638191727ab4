import type { InvoiceStage } from '#domain/invoicing/invoice-stage.ts';
import type { PriceStage, QuantityStage, WorkingPart } from '#domain/pricing/working.ts';
import { formatExact, formatNumber } from './format-amount.ts';
import { formatPeriod } from './format-time.ts';

/** One row of how an amount came about. */
export interface WorkingRow {
  readonly text: string;
  /** What was multiplied. */
  readonly detail: string | null;
  readonly amount: string | null;
}

/** What numbers and times are written for. */
export interface WorkingContext {
  readonly currency: string;
  readonly timezone: string;
  /** Parts of one price that are shown; the others are counted. */
  readonly partsMax: number;
}

/** A stage of a line's working, in words and numbers. */
export function workingRows(stage: InvoiceStage, context: WorkingContext): WorkingRow[] {
  const amount = (text: string): string => formatExact(context.currency, text);
  switch (stage.stage) {
    case 'quantity':
      return [quantityRow(stage)];
    case 'price':
      return priceRows(stage, context);
    case 'percentDiscount':
      return [row(`Less ${formatNumber(stage.percent)} %`, null, amount(stage.amount))];
    case 'fixedDiscount':
      return [row(`Less a discount of up to ${amount(stage.available)}`, null, amount(stage.amount))];
    case 'maximum':
      return [
        row(`At most ${amount(stage.maximum)}${before(stage.billedBefore)}`, null, amount(stage.amount)),
      ];
    case 'minimum':
      return [
        row(
          `At least ${amount(stage.minimum)}, of which ${amount(stage.reached)} are reached${before(stage.billedBefore)}`,
          null,
          amount(stage.trueUp),
        ),
      ];
    case 'rounding':
      return [row(`Rounded to ${stage.decimals} decimals, half away from zero`, null, amount(stage.rounded))];
    case 'billedBefore':
      return [row('Billed before in this period', null, amount(stage.amount))];
    case 'notDue':
      return [row(`Due with the ${stage.due} part of the period`, null, null)];
    case 'billed':
      return [row(`On invoice ${stage.invoice}`, null, amount(stage.amount))];
    case 'stillDue':
      return [
        row(`Still due for ${formatPeriod(stage.period, context.timezone)}`, null, amount(stage.amount)),
        ...stage.working.flatMap((inner) => workingRows(inner, context)),
      ];
    case 'planMinimum':
      return [
        row(
          `Plan minimum ${amount(stage.amount)}${part(stage.fraction)}: ${amount(stage.minimum)}, of which ${amount(stage.spent)} are spent`,
          null,
          amount(stage.missing),
        ),
      ];
    case 'planOverage':
      return [
        row(
          `Beyond the commitment of ${amount(stage.minimum)}, ${amount(stage.spent)} being spent, ${formatNumber(stage.factor)} times the price`,
          null,
          amount(stage.surcharge),
        ),
      ];
    case 'planMaximum':
      return [
        row(
          `Plan maximum ${amount(stage.amount)}${part(stage.fraction)}: ${amount(stage.maximum)}, of ${amount(stage.spent)} spent ${amount(stage.over)} are over`,
          null,
          amount(stage.part),
        ),
      ];
  }
}

const row = (text: string, detail: string | null, amount: string | null): WorkingRow => ({
  text,
  detail,
  amount,
});

const before = (text: string): string =>
  text === '0' ? '' : `, after ${formatNumber(text)} on earlier invoices`;

const part = (fraction: string): string => (fraction === '1' ? '' : ` × ${fraction}`);

function quantityRow({ measured, measuredBefore, converted, free, from, to }: QuantityStage): WorkingRow {
  const said = [
    `Measured ${formatNumber(measured)}`,
    ...(measuredBefore === '0' ? [] : [`after ${formatNumber(measuredBefore)} earlier in the period`]),
    ...(converted === measured ? [] : [`which are ${formatNumber(converted)} units`]),
    ...(free === '0' ? [] : [`${formatNumber(free)} free`]),
  ];
  const stretch = from === '0' ? formatNumber(to) : `${formatNumber(from)} to ${formatNumber(to)}`;
  return row(said.join(', '), stretch === formatNumber(measured) ? null : `priced ${stretch}`, null);
}

/** How models are called. */
const MODELS: Readonly<Record<string, string>> = {
  flat: 'Flat',
  perUnit: 'Per unit',
  graduated: 'Graduated',
  volume: 'Volume',
  package: 'Package',
  percentage: 'Percentage',
  graduatedPercentage: 'Graduated percentage',
  matrix: 'By dimensions',
  dynamic: 'As each event says',
};

function priceRows(stage: PriceStage, { currency, partsMax }: WorkingContext): WorkingRow[] {
  const { model, parts, fraction, amount, rounded } = stage;
  const shown = parts.slice(0, partsMax).map((each) => partRow(currency, each));
  const others = parts.length - shown.length;
  const isRounded = rounded !== undefined && rounded !== amount;
  const said = [
    MODELS[model] ?? model,
    ...(fraction === undefined || fraction === '1' ? [] : [`for ${fraction} of the period`]),
    ...(isRounded ? ['rounded'] : []),
  ];
  // One part that is the whole needs no sum.
  const isSaid = parts.length === 1 && said.length === 1;
  return [
    ...shown,
    ...(others === 0 ? [] : [row(`and ${others} more parts`, null, null)]),
    ...(isSaid
      ? []
      : [
          row(
            said.join(', '),
            isRounded && parts.length > 1 ? formatExact(currency, amount) : null,
            formatExact(currency, rounded ?? amount),
          ),
        ]),
  ];
}

const partRow = (currency: string, { label, quantity, unitPrice, amount }: WorkingPart): WorkingRow =>
  row(
    label,
    unitPrice === null
      ? formatNumber(quantity)
      : `${formatNumber(quantity)} × ${formatExact(currency, unitPrice)}`,
    formatExact(currency, amount),
  );
