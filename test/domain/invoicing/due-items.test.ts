import { expect } from 'chai';
import { dueItems, type BilledItem } from '#domain/invoicing/due-items.ts';
import { plannedInvoices } from '#domain/invoicing/planned-invoices.ts';
import type { BillingItem } from '#domain/subscriptions/billing-item.ts';
import {
  APRIL,
  at,
  billedOf,
  boundOf,
  chargeOf,
  flat,
  inputsOfItem,
  invoiceOf,
  itemOf,
  perUnit,
  span,
} from './invoice-builders.ts';

const hashOf = (item: BillingItem): string => JSON.stringify(item);

const billedAs = (item: BillingItem): BilledItem => ({
  id: item.id,
  kind: item.kind,
  period: item.period,
  through: item.period.to,
  itemHash: hashOf(item),
  lines: 'segments' in item && item.kind === 'fee' ? billedOf(item.id, invoiceOf([inputsOfItem(item)])) : [],
});

const soFar = (...items: readonly BillingItem[]) => ({
  items: new Map(items.map((item) => [item.id, billedAs(item)])),
  settledThrough: APRIL.from,
  isChanged: true,
});

const base = chargeOf('base', flat('30'), { timing: 'inAdvance' });
const paid = itemOf('fee', base);
const cut = itemOf('fee', base, { period: span('2026-04-01', '2026-04-21') });

describe('items that are due', () => {
  it('wait for a change that is planned for later, and are looked at until it has come', () => {
    const before = dueItems([cut], soFar(paid), { until: at('2026-04-10'), hashOf });
    expect(before).to.deep.include({ due: [], isWaiting: true });
    const after = dueItems([cut], soFar(paid), { until: at('2026-04-21'), hashOf });
    expect(after.isWaiting).to.equal(false);
    expect(after.due.map(({ why, dueAt }) => [why, dueAt])).to.deep.equal([['change', at('2026-04-21')]]);
  });

  it('wait for it also when an invoice became void, unless it was theirs', () => {
    for (const settledThrough of [null, at('2026-03-01')]) {
      const known = { ...soFar(paid), settledThrough };
      const found = dueItems([cut], known, { until: at('2026-04-10'), hashOf });
      expect(found).to.deep.include({ due: [], isWaiting: true });
      const takenOff = new Map([[paid.id, { ...billedAs(paid), itemHash: '' }]]);
      const own = dueItems([cut], { ...known, items: takenOff }, { until: at('2026-04-10'), hashOf });
      expect(own.due.map(({ why, dueAt }) => [why, dueAt])).to.deep.equal([['period', cut.dueAt]]);
    }
  });

  it('keep their subscription unsettled while they wait, whatever else of it is billed', () => {
    const weekly = itemOf('usage', chargeOf('tokens', perUnit('1'), { meter: 'tokens' }), {
      whole: span('2026-04-01', '2026-04-08'),
    });
    const found = dueItems([weekly, cut], soFar(paid), { until: at('2026-04-10'), hashOf });
    const [invoice, ...others] = plannedInvoices([{ id: 'sub-1', endAt: null, ...found }], at('2026-04-10'));
    expect(others).to.deep.equal([]);
    expect(invoice?.items.map(({ item }) => item.id)).to.deep.equal([weekly.id]);
    expect([...(invoice?.unsettled ?? [])]).to.deep.equal(['sub-1']);
  });

  it('settle a bound again once everything is due that moves in its time', () => {
    const bound = boundOf('minimum', '100', { period: span('2026-04-01', '2026-04-21') });
    const usage = itemOf('usage', chargeOf('tokens', perUnit('1'), { meter: 'tokens' }), {
      period: span('2026-04-01', '2026-04-21'),
    });
    const billed = { ...soFar(bound), settledThrough: null };
    const { due } = dueItems([paid, usage, bound], billed, { until: APRIL.to, hashOf });
    const dates = new Map(due.map(({ item, dueAt }) => [item.kind, dueAt]));
    expect(dates.get('fee')).to.equal(APRIL.from);
    expect(dates.get('minimum')).to.equal(at('2026-04-21'));
  });
});
