import { expect } from 'chai';
import type { InvoiceContent, InvoiceLine } from '#domain/invoicing/invoice.ts';
import type { InvoiceStage } from '#domain/invoicing/invoice-stage.ts';
import { anyCurrency } from '#domain/money/currency.ts';
import { Decimal, ZERO, toDecimalText } from '#domain/money/decimal.ts';
import { fraction, multiplyFractions, roundFraction, toFraction } from '#domain/money/fraction.ts';
import { round } from '#domain/money/rounding.ts';
import type { WorkingStage } from '#domain/pricing/working.ts';
import { said } from './invoice-builders.ts';
import { expectRecomputable } from './recompute.ts';

const INVOICE_STAGES = ['billed', 'stillDue', 'planMinimum', 'planOverage', 'planMaximum'] as const;
type OwnStage = Extract<InvoiceStage, { readonly stage: (typeof INVOICE_STAGES)[number] }>;

const isOwn = (stage: InvoiceStage): stage is OwnStage =>
  (INVOICE_STAGES as readonly string[]).includes(stage.stage);
const isRated = (stage: InvoiceStage): stage is WorkingStage => !isOwn(stage);

/** Computes every line of an invoice again from its own working, and the totals from the lines. */
export function expectInvoiceRecomputable(content: InvoiceContent): void {
  const { decimals } = anyCurrency(content.currency);
  for (const line of content.lines) expectLineRecomputable(line, decimals);
  const { totals, lines, taxes, prices } = content;
  const charges = sum(lines.map(({ amount }) => amount));
  expect(totals.charges).to.equal(charges);
  expect(totals.tax).to.equal(sum(taxes.map(({ amount }) => amount)));
  expect(totals.tax).to.equal(sum(lines.flatMap((line) => line.taxes.map(({ amount }) => amount))));
  expect(totals.total).to.equal(sum([totals.net, totals.tax]));
  expect(totals.total).to.equal(prices === 'inclusive' ? charges : sum([charges, totals.tax]));
}

function expectLineRecomputable(line: InvoiceLine, decimals: number): void {
  const { id, kind, amount, working } = line;
  const own = working.filter(isOwn);
  if (own.length > 0) expect(toDecimalText(ownAmount(own, decimals)), `${kind} ${id}`).to.equal(amount);
  else if (kind !== 'extra')
    expectRecomputable({ id, kind, amount, working: working.filter(isRated) }, decimals);
}

const ownAmount = (stages: readonly OwnStage[], decimals: number): Decimal =>
  stages.reduce((total, stage) => total.plus(ownStage(stage, decimals)), ZERO);

function ownStage(stage: OwnStage, decimals: number): Decimal {
  switch (stage.stage) {
    case 'billed':
      return new Decimal(stage.amount).neg();
    case 'stillDue':
      return new Decimal(stage.amount);
    case 'planMinimum':
      return proratedPart(stage, decimals, stage.minimum).minus(stage.spent);
    case 'planOverage': {
      const over = new Decimal(stage.spent).minus(proratedPart(stage, decimals, stage.minimum));
      return round(over.times(new Decimal(stage.factor).minus(1)), decimals);
    }
    case 'planMaximum': {
      const over = new Decimal(stage.spent).minus(proratedPart(stage, decimals, stage.maximum));
      expect(toDecimalText(over)).to.equal(stage.over);
      return new Decimal(stage.part).neg();
    }
  }
}

function proratedPart(
  { amount, fraction: part }: { readonly amount: string; readonly fraction: string },
  decimals: number,
  stated: string,
): Decimal {
  const [numerator = '0', denominator = '1'] = part.split('/');
  const exact = multiplyFractions(
    toFraction(new Decimal(amount)),
    fraction(BigInt(numerator), BigInt(denominator)),
  );
  const own = roundFraction(exact, { decimals, rounding: 'halfUp' });
  expect(toDecimalText(own)).to.equal(stated);
  return own;
}

export const sum = (amounts: readonly string[]): string =>
  toDecimalText(amounts.reduce((total, each) => total.plus(each), ZERO));

/** Lines and total as expected, and everything computed again from what is printed. */
export function expectInvoice(content: InvoiceContent, lines: readonly string[], total: string): void {
  expect(said(content)).to.deep.equal(lines);
  expect(content.totals.total).to.equal(total);
  expectInvoiceRecomputable(content);
}
