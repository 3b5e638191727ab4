import { expect } from 'chai';
import fc from 'fast-check';
import { billedLinesOf } from '#domain/invoicing/billed-lines.ts';
import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import { contentText, inputsHash, inputsText } from '#domain/invoicing/invoice-hash.ts';
import type {
  BilledLine,
  InvoiceInputs,
  ItemInputs,
  SubscriptionInputs,
} from '#domain/invoicing/invoice-inputs.ts';
import { PRICES } from '#domain/invoicing/tax.ts';
import { Decimal } from '#domain/money/decimal.ts';
import { cuts, feeForms, measuredThrough, usedItem } from './arbitrary-items.ts';
import {
  APRIL,
  SELLER,
  boundOf,
  buyer,
  chargeOf,
  inputsOf,
  inputsOfItem,
  invoiceOf,
  itemOf,
  perUnit,
  quantity,
  subscriptionOf,
} from './invoice-builders.ts';
import { expectInvoiceRecomputable, sum } from './recompute-invoice.ts';

const totalOf = (contents: readonly InvoiceContent[]): string =>
  sum(contents.map(({ totals }) => totals.total));

/** Invoices one after the other, each less what those before it have. */
class Billing {
  readonly made: { readonly id: string; readonly content: InvoiceContent }[] = [];
  #lines: readonly BilledLine[] = [];

  bill(inputs: ItemInputs): InvoiceContent {
    const id = `invoice-${this.made.length + 1}`;
    const content = invoiceOf([{ ...inputs, billed: this.#lines }]);
    expectInvoiceRecomputable(content);
    this.made.push({ id, content });
    this.#lines = [...this.#lines, ...billedLinesOf(id, content).flatMap(({ lines }) => lines)];
    return content;
  }

  /** Takes one of the invoices off what is billed. */
  void(index: number): void {
    const [gone] = this.made.splice(index % Math.max(1, this.made.length), 1);
    this.#lines = this.#lines.filter(({ invoice }) => invoice !== gone?.id);
  }

  get total(): string {
    return totalOf(this.made.map(({ content }) => content));
  }
}

describe('due minus billed', () => {
  it('of usage: however often a period is billed before it is over, all invoices come to what the period does', () => {
    fc.assert(
      fc.property(usedItem, cuts, (used, moments) => {
        const billing = new Billing();
        for (const moment of [...moments, APRIL.to])
          billing.bill(inputsOfItem(used.item, measuredThrough(used, moment)));
        const atOnce = invoiceOf([inputsOfItem(used.item, measuredThrough(used, APRIL.to))]);
        expect(billing.total).to.equal(atOnce.totals.total);
        expect(billing.bill(inputsOfItem(used.item, measuredThrough(used, APRIL.to))).lines).to.deep.equal(
          [],
        );
      }),
    );
  });

  it('of fees: whatever changes, all invoices come to what is due at the end, and billing again bills nothing', () => {
    fc.assert(
      fc.property(feeForms, (forms) => {
        const billing = new Billing();
        for (const form of forms) {
          billing.bill(inputsOfItem(form));
          expect(billing.total).to.equal(invoiceOf([inputsOfItem(form)]).totals.total);
          expect(billing.bill(inputsOfItem(form)).lines).to.deep.equal([]);
        }
        const [first] = forms;
        billing.bill(inputsOfItem({ kind: 'gone', id: first?.id ?? '' }));
        expect(billing.total).to.equal('0');
      }),
    );
  });

  it('bills again what a void invoice had, whichever it was', () => {
    fc.assert(
      fc.property(feeForms, usedItem, cuts, fc.nat(5), (forms, used, moments, which) => {
        const fees = new Billing();
        for (const form of forms) fees.bill(inputsOfItem(form));
        fees.void(which);
        const last = forms.at(-1);
        if (last) fees.bill(inputsOfItem(last));
        expect(fees.total).to.equal(last ? invoiceOf([inputsOfItem(last)]).totals.total : '0');

        const usage = new Billing();
        for (const moment of [...moments, APRIL.to])
          usage.bill(inputsOfItem(used.item, measuredThrough(used, moment)));
        usage.void(which);
        const whole = inputsOfItem(used.item, measuredThrough(used, APRIL.to));
        usage.bill(whole);
        expect(usage.total).to.equal(invoiceOf([whole]).totals.total);
      }),
    );
  });

  it('makes the same invoice again after the only one is void', () => {
    fc.assert(
      fc.property(usedItem, (used) => {
        const billing = new Billing();
        const whole = inputsOfItem(used.item, measuredThrough(used, APRIL.to));
        const first = contentText(billing.bill(whole));
        billing.void(0);
        expect(contentText(billing.bill(whole))).to.equal(first);
      }),
    );
  });
});

const rate = fc.integer({ min: 0, max: 2_500 }).map((percent) => ({
  code: 'vat',
  jurisdiction: 'DE',
  rate: (percent / 100).toFixed(2),
}));
const rates = fc.uniqueArray(rate, { maxLength: 2, selector: (each) => each.rate });

const document: fc.Arbitrary<InvoiceInputs> = fc
  .record({
    prices: fc.constantFrom(...PRICES),
    sellerRates: rates,
    buyerRates: fc.option(rates),
    used: fc.array(usedItem, { minLength: 1, maxLength: 3 }),
    forms: feeForms,
    currency: fc.constantFrom('EUR', 'JPY', 'BHD'),
  })
  .map(({ prices, sellerRates, buyerRates, used, forms, currency }) => {
    const fee = forms.at(-1);
    const subscriptions = used.map((each, index) =>
      subscriptionOf(
        [
          inputsOfItem(each.item, measuredThrough(each, APRIL.to)),
          ...(fee ? [inputsOfItem(fee)] : []),
          inputsOfItem(boundOf('minimum', '100', { overageFactor: '2' })),
          inputsOfItem(boundOf('maximum', '150')),
        ],
        { id: `sub-${index}`, customer: { key: index % 2 === 0 ? 'acme' : 'child', name: 'name' } },
      ),
    );
    const subjects = ['b', 'a'].map((subject) => ({ subject, intervals: [{ from: 0, to: null }] }));
    return inputsOf(subscriptions, {
      currency,
      usage: {
        completeThrough: APRIL.to,
        asOf: APRIL.to,
        readAt: APRIL.to,
        subjects: ['child', 'acme'].map((customer) => ({ customer, subjects })),
      },
      seller: { ...SELLER, prices, taxRates: sellerRates },
      customer: buyer('acme', { taxRates: buyerRates }),
    });
  });

const reversed = (inputs: InvoiceInputs): InvoiceInputs => ({
  ...inputs,
  usage: inputs.usage && {
    ...inputs.usage,
    subjects: inputs.usage.subjects
      .toReversed()
      .map(({ customer, subjects }) => ({ subjects: subjects.toReversed(), customer })),
  },
  subscriptions: inputs.subscriptions.toReversed().map(reversedItems),
});

const reversedItems = ({ items, ...more }: SubscriptionInputs): SubscriptionInputs => ({
  items: items.toReversed().map(({ usage, ...item }) => ({
    usage: usage.map((each) =>
      each.kind === 'groups' ? { ...each, groups: each.groups.toReversed() } : each,
    ),
    ...item,
  })),
  ...more,
});

describe('an invoice of anything', () => {
  it('adds up: lines to totals, taxes of lines to those of the invoice, and every line from its own working', () => {
    fc.assert(
      fc.property(document, (inputs) => {
        const content = buildInvoice(inputs);
        expectInvoiceRecomputable(content);
        for (const { code, jurisdiction, rate: percent, amount, base } of content.taxes) {
          const ofLines = content.lines.flatMap(({ taxes }) =>
            taxes.filter(
              (tax) => tax.code === code && tax.jurisdiction === jurisdiction && tax.rate === percent,
            ),
          );
          expect(sum(ofLines.map((tax) => tax.amount))).to.equal(amount);
          expect(sum(ofLines.map((tax) => tax.base))).to.equal(base);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is the same to the byte in whatever order its inputs were read, and after they were stored', () => {
    fc.assert(
      fc.property(document, (inputs) => {
        const text = contentText(buildInvoice(inputs));
        const other = reversed(inputs);
        expect(inputsHash(other)).to.equal(inputsHash(inputs));
        expect(contentText(buildInvoice(other))).to.equal(text);
        const stored = JSON.parse(inputsText(inputs)) as InvoiceInputs;
        expect(contentText(buildInvoice(stored))).to.equal(text);
      }),
      { numRuns: 50 },
    );
  });

  it('comes to its usage, but at least to a minimum and at most to a maximum', () => {
    const amount = fc.integer({ min: 0, max: 300 });
    fc.assert(
      fc.property(amount, amount, amount, (units, one, other) => {
        const item = itemOf('usage', chargeOf('tokens', perUnit('1'), { meter: 'tokens' }));
        const [least, most] = [Math.min(one, other), Math.max(one, other)];
        const { totals } = invoiceOf([
          inputsOfItem(item, { usage: [quantity(units)] }),
          inputsOfItem(boundOf('minimum', String(least))),
          inputsOfItem(boundOf('maximum', String(most))),
        ]);
        expect(new Decimal(totals.total).toNumber()).to.equal(Math.min(Math.max(units, least), most));
      }),
    );
  });
});
