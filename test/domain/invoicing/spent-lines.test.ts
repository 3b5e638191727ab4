import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { BilledLine } from '#domain/invoicing/invoice-inputs.ts';
import { spentLinesOf } from '#domain/invoicing/spent-lines.ts';
import type { ChargeItem } from '#domain/subscriptions/billing-item.ts';
import {
  billedOf,
  chargeOf,
  flat,
  inputsOfItem,
  invoiceOf,
  itemOf,
  perUnit,
  quantity,
  span,
} from './invoice-builders.ts';

const base = chargeOf('base', flat('30'), { timing: 'inAdvance' });
const seats = chargeOf('seats', perUnit('10'), { timing: 'inAdvance' });

/** One after the other, each less what those before it have. */
function billedInTurn(forms: readonly ChargeItem[]): BilledLine[] {
  let lines: BilledLine[] = [];
  forms.forEach((form, index) => {
    const usage = form.kind === 'usage' ? form.segments.map(() => quantity(40)) : [];
    const content = invoiceOf([inputsOfItem(form, { billed: lines, usage })]);
    lines = [
      ...lines,
      ...billedOf(form.id, content).map((line) => ({ ...line, invoice: `invoice-${index + 1}` })),
    ];
  });
  return lines;
}

const said = (form: ChargeItem, lines: readonly BilledLine[]): string[] =>
  spentLinesOf({ id: form.id, kind: form.kind, period: form.period, lines })
    .map(
      ({ period, amount }) =>
        `${formatInstant(period.from).slice(5, 10)}..${formatInstant(period.to).slice(5, 10)} ${amount}`,
    )
    .sort();

describe('what counts toward a bound', () => {
  it('is what was billed, for its time', () => {
    const form = itemOf('fee', base);
    expect(said(form, billedInTurn([form]))).to.deep.equal(['04-01..05-01 30']);
  });

  it('of a fee that ended earlier is what is left of it, for the time that is left, and nothing below 0 after it', () => {
    const whole = itemOf('fee', base);
    const cut = itemOf('fee', base, { period: span('2026-04-01', '2026-04-21') });
    expect(said(cut, billedInTurn([whole, cut]))).to.deep.equal(['04-01..04-21 20']);
  });

  it('of a fee that begins and ends within what was billed is for the time between', () => {
    const whole = itemOf('fee', base);
    const middle: ChargeItem = {
      ...whole,
      segments: [{ ...whole.segments[0], ...span('2026-04-11', '2026-04-21') }],
    };
    expect(said(middle, billedInTurn([whole, middle]))).to.deep.equal(['04-11..04-21 10']);
  });

  it('of seats that changed is each number of them for its own time', () => {
    const first = itemOf('fee', seats, { segments: [{ seats: '3' }] });
    const second = itemOf('fee', seats, { segments: [{ seats: '3' }, { from: '2026-04-11', seats: '6' }] });
    expect(said(second, billedInTurn([first, second]))).to.deep.equal(['04-01..04-11 10', '04-11..05-01 40']);
  });

  it('of a fee that nothing was given back of ends with its item', () => {
    const whole = itemOf('fee', { ...base, proration: 'none' });
    const cut = itemOf('fee', { ...base, proration: 'none' }, { period: span('2026-04-01', '2026-04-21') });
    expect(said(cut, billedInTurn([whole, cut]))).to.deep.equal(['04-01..04-21 30']);
  });

  it('of usage is for the time that the last invoice says, whatever invoices between are void', () => {
    const tokens = chargeOf('tokens', perUnit('1'), { meter: 'tokens' });
    const whole = itemOf('usage', tokens);
    const cut = itemOf('usage', tokens, { period: span('2026-04-01', '2026-04-21') });
    const lines = billedInTurn([whole, cut, whole, cut]);
    expect(said(cut, lines)).to.deep.equal(['04-01..04-21 40']);
    const standing = lines.filter(({ invoice }) => invoice !== 'invoice-2');
    expect(said(cut, standing)).to.deep.equal(['04-01..04-21 40']);
  });
});
