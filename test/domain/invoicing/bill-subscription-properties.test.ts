import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_DAY, MICROS_PER_HOUR, type Instant } from '#domain/instant.ts';
import { billedLinesOf } from '#domain/invoicing/billed-lines.ts';
import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import type { BilledLine, ItemInputs } from '#domain/invoicing/invoice-inputs.ts';
import type { BillingItem, ItemSegment } from '#domain/subscriptions/billing-item.ts';
import { billingItems } from '#domain/subscriptions/billing-items.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import { after, stories, versions } from '#test/domain/subscriptions/arbitrary-subscription.ts';
import { inputsOf, quantity, subscriptionOf } from './invoice-builders.ts';
import { expectInvoiceRecomputable, sum } from './recompute-invoice.ts';

/** A unit is used every seven hours, so that what is used of two stretches of time adds up. */
const EVERY = 7 * MICROS_PER_HOUR;
const usedIn = ({ from, to }: ItemSegment): number => Math.floor(to / EVERY) - Math.floor(from / EVERY);

type Billed = Map<string, readonly BilledLine[]>;

const inputsOfItem = (item: BillingItem, billed: readonly BilledLine[]): ItemInputs => ({
  item,
  through: item.period.to,
  usage: item.kind === 'usage' ? item.segments.map((segment) => quantity(usedIn(segment))) : [],
  billed,
});

/** All that is due of a subscription by a moment, less what is billed of it. */
function invoiceOf(subscription: Subscription, until: Instant, billed: Billed): InvoiceContent {
  const due = [...billingItems(subscription, versions, { until })].filter(({ dueAt }) => dueAt <= until);
  const ids = new Set(due.map(({ id }) => id));
  const gone = [...billed].filter(([id]) => !ids.has(id));
  const items = [
    ...due.map((item) => inputsOfItem(item, billed.get(item.id) ?? [])),
    ...gone.map(([id, lines]) => ({
      item: { kind: 'gone' as const, id },
      through: 0,
      usage: [],
      billed: lines,
    })),
  ];
  const { timezone } = subscription;
  return buildInvoice(inputsOf([subscriptionOf(items, { timezone })], { currency: 'USD', date: until }));
}

const STEP_DAYS = 70;

describe('the invoices of a subscription', () => {
  it('come to all that is due by now, whatever was changed, before or after it was billed', () => {
    fc.assert(
      fc.property(stories, ({ start, first, changes }) => {
        const billed: Billed = new Map();
        const totals: string[] = [];
        let subscription = first;
        [...changes, ...changes.slice(0, 1)].forEach((change, index) => {
          const until = start + (index + 1) * STEP_DAYS * MICROS_PER_DAY;
          const content = invoiceOf(subscription, until, billed);
          expectInvoiceRecomputable(content);
          totals.push(content.totals.total);
          for (const { item, lines } of billedLinesOf(`invoice-${index}`, content))
            billed.set(item, [...(billed.get(item) ?? []), ...lines]);
          expect(sum(totals)).to.equal(invoiceOf(subscription, until, new Map()).totals.total);
          expect(invoiceOf(subscription, until, billed).lines).to.deep.equal([]);
          subscription = after(subscription, change);
        });
      }),
      { numRuns: 40 },
    );
  });
});
