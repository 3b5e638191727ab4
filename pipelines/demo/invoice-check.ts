import type { BilledMonth, Billed } from './bill-customers.ts';
import { compareAmounts, type CheckedBill, type Difference } from './bill-check.ts';
import type { DataSet } from './data-set.ts';
import { decimalsOf, taxIndependently, type ExpectedBill, type TaxRate } from './expected-bill.ts';
import type { InvoiceAnswer } from './invoice.ts';

/** An invoice, and whatever in it is not as it was computed independently. */
export interface CheckedInvoice extends Billed {
  readonly different: readonly Difference[];
}

export interface CheckedInvoices {
  /** In the order of their customers in the catalogue. */
  readonly invoices: readonly CheckedInvoice[];
  /** Everything else that is wrong, in sentences. */
  readonly faults: readonly string[];
  readonly isGapless: boolean;
  /** Nothing differs, and nothing is missing. */
  readonly ok: boolean;
}

/** Exactly one invoice for every customer, each beside what the events themselves come to. */
export function checkInvoices(
  { invoices: billed, failures }: BilledMonth,
  { catalogue, seller }: Pick<DataSet, 'catalogue' | 'seller'>,
  bills: readonly Pick<CheckedBill, 'customer' | 'expected'>[],
): CheckedInvoices {
  const ofCustomer = Map.groupBy(billed, ({ invoice }) => invoice.customer);
  const invoices = bills.flatMap(({ customer, expected }) => {
    const rates = catalogue.customers[customer]?.taxRates ?? seller.taxRates;
    return (ofCustomer.get(customer) ?? []).map((each) => ({
      ...each,
      different: compareInvoice(each.invoice, expected, rates),
    }));
  });
  const faults = [
    ...failures.map(({ customer, message }) => `${customer} could not be billed: ${message}`),
    ...bills.flatMap(({ customer }) => countFault(customer, ofCustomer.get(customer)?.length ?? 0)),
    ...invoices.flatMap(stateFault),
  ];
  const isGapless = areGapless(invoices.map(({ invoice }) => invoice.number));
  const isEqual = invoices.every(({ different, isVerified }) => different.length === 0 && isVerified);
  return {
    invoices,
    faults,
    isGapless,
    ok: faults.length === 0 && isGapless && isEqual && invoices.length === billed.length,
  };
}

const countFault = (customer: string, invoices: number): string[] =>
  invoices === 1 ? [] : [`${customer} has ${invoices} invoices`];

const stateFault = ({ invoice: { customer, state }, file }: Billed): string[] =>
  state === 'issued' && file !== null ? [] : [`the invoice of ${customer} is ${state}, not issued`];

/** Line by line, what they come to, the tax on that, and both together, to the last minor unit. */
export function compareInvoice(
  { currency, lines, totals }: Pick<InvoiceAnswer, 'currency' | 'lines' | 'totals'>,
  { lines: expected, total: net }: ExpectedBill,
  rates: readonly TaxRate[],
): Difference[] {
  const tax = taxIndependently(net, rates, decimalsOf(currency));
  return compareAmounts({ currency, lines }, expected, [
    { what: 'net', found: totals.net, expected: net },
    { what: 'tax', found: totals.tax, expected: tax },
    { what: 'total', found: totals.total, expected: net + tax },
  ]);
}

const NUMBER = /^(.*\D)(\d+)$/;

/** Whether the numbers of each series (all before the last digits: prefix and year) are 1, 2, 3 …, in whatever order. */
export function areGapless(numbers: readonly (string | null)[]): boolean {
  const parts = numbers.map((number) => NUMBER.exec(number ?? ''));
  const series = Map.groupBy(parts, (part) => part?.[1]);
  return [...series].every(([name, own]) => {
    const given = own.map((part) => Number(part?.[2])).sort((a, b) => a - b);
    return name !== undefined && given.every((number, index) => number === index + 1);
  });
}
