import { expect } from 'chai';
import { breakers, GROWTH_MAX, type BreakerContext } from '#domain/invoicing/breakers.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import { LINES_PER_INVOICE_MAX } from '#domain/limits.ts';
import {
  APRIL,
  at,
  billedOf,
  chargeOf,
  flat,
  groups,
  inputsOfItem,
  invoiceOf,
  itemOf,
  perUnit,
  quantity,
} from './invoice-builders.ts';

const NOTHING_KNOWN: BreakerContext = { lastTotal: null, billed: [] };
const codes = (content: InvoiceContent, context: Partial<BreakerContext> = {}): string[] =>
  breakers(content, { ...NOTHING_KNOWN, ...context }).map(({ code }) => code);

const fee = (amount: string, currency = 'EUR'): InvoiceContent =>
  invoiceOf([inputsOfItem(itemOf('fee', chargeOf('base', flat(amount))))], { currency });

const tokens = chargeOf('tokens', perUnit('1'), { meter: 'tokens' });

describe('the circuit breakers of an invoice', () => {
  it('let an invoice pass that looks as it should', () => {
    expect(codes(fee('5000'))).to.deep.equal([]);
    expect(codes(fee('5000'), { lastTotal: '4000' })).to.deep.equal([]);
  });

  it('say that nothing is due where there is no line, and nothing of the kind where lines come to 0', () => {
    expect(codes(invoiceOf([]))).to.deep.equal(['nothing_due']);
    expect(codes(fee('0'))).to.deep.equal([]);
  });

  it('stop a total below 0', () => {
    const item = itemOf('fee', chargeOf('base', flat('10')));
    const gone = inputsOfItem({ kind: 'gone', id: item.id }, { billed: billedOf(item.id, fee('10')) });
    expect(codes(invoiceOf([gone]))).to.deep.equal(['negative_total']);
  });

  it(`stop more than ${GROWTH_MAX} times the last one, from 100,000 minor units on`, () => {
    expect(codes(fee('1000'), { lastTotal: '100' })).to.deep.equal([]);
    expect(codes(fee('1000.01'), { lastTotal: '100' })).to.deep.equal(['many_times_the_last']);
    expect(codes(fee('999.99'), { lastTotal: '1' })).to.deep.equal([]);
    expect(codes(fee('99999', 'JPY'), { lastTotal: '1' })).to.deep.equal([]);
    expect(codes(fee('100000', 'JPY'), { lastTotal: '1' })).to.deep.equal(['many_times_the_last']);
    expect(codes(fee('5000'), { lastTotal: '0' })).to.deep.equal([]);
  });

  it('stop more lines than an invoice may have', () => {
    const byModel = chargeOf('tokens', perUnit('1'), { meter: 'tokens', tiersOver: 'line' });
    const all = Array.from(
      { length: LINES_PER_INVOICE_MAX + 1 },
      (_, index) => [{ model: `m${index}` }, 1] as const,
    );
    const made = invoiceOf([inputsOfItem(itemOf('usage', byModel), { usage: [groups(...all)] })]);
    expect(codes(made)).to.deep.equal(['too_many_lines']);
  });

  it('stop usage of a time that an earlier invoice has under another item, unless this one takes it off', () => {
    const item = itemOf('usage', tokens);
    const early = invoiceOf([inputsOfItem(item, { through: at('2026-04-10'), usage: [quantity(10)] })]);
    const billed = billedOf(item.id, early);
    const standing = billed.map((line) => ({ ...line, subscription: 'sub-1', item: item.id }));

    const netted = invoiceOf([inputsOfItem(item, { usage: [quantity(30)], billed })]);
    expect(codes(netted, { billed: standing })).to.deep.equal([]);

    const twice = itemOf('usage', tokens, { period: { from: at('2026-04-09'), to: APRIL.to } });
    const again = invoiceOf([inputsOfItem(twice, { usage: [quantity(20)] })]);
    expect(codes(again, { billed: standing })).to.deep.equal(['already_billed']);
    const elsewhere = standing.map((line) => ({ ...line, subscription: 'sub-2' }));
    expect(codes(again, { billed: elsewhere })).to.deep.equal([]);

    const after = itemOf('usage', tokens, { period: { from: at('2026-04-10'), to: APRIL.to } });
    const next = invoiceOf([inputsOfItem(after, { usage: [quantity(20)] })]);
    expect(codes(next, { billed: standing })).to.deep.equal([]);
  });
});
