import type { ApiClient } from './api-client.ts';
import { evaluateBill, type BillAnswer } from './bill.ts';
import type { DataSet, Fact } from './data-set.ts';
import { billIndependently, decimalsOf, lineName, type ExpectedBill } from './expected-bill.ts';
import { amountText, fromMinorUnits, isSame, plus, ratioOf } from './ratio.ts';

/** What a customer must pay, and whatever of it the API's evaluation of the charges makes something else of. */
export interface CheckedBill {
  readonly customer: string;
  readonly expected: ExpectedBill;
  readonly different: readonly Difference[];
}

/** Null where there is no such line. */
export interface Difference {
  readonly what: string;
  readonly found: string | null;
  readonly expected: string | null;
}

/** What the API says that everything sent would come to, for every customer, beside a bill that is made from the events themselves. */
export async function checkBills(
  client: ApiClient,
  { catalogue, charges, from, to }: DataSet,
  facts: readonly Fact[],
): Promise<CheckedBill[]> {
  const bills: CheckedBill[] = [];
  for (const [customer, { subjects }] of Object.entries(catalogue.customers)) {
    const bill = await evaluateBill(client, { ...charges, customer, from, to });
    const own = facts.filter(({ subject }) => subjects.includes(subject));
    const expected = billIndependently(catalogue, charges, own);
    bills.push({ customer, expected, different: compareBill(bill, expected) });
  }
  return bills;
}

/** Line by line and the total, to the last minor unit. */
export const compareBill = (
  { currency, lines, totals }: Pick<BillAnswer, 'currency' | 'lines' | 'totals'>,
  expected: ExpectedBill,
): Difference[] =>
  compareAmounts({ currency, lines }, expected.lines, [
    { what: 'total', found: totals.total, expected: expected.total },
  ]);

/** An amount that stands below the lines. */
interface Sum {
  readonly what: string;
  readonly found: string;
  /** In minor units. */
  readonly expected: bigint;
}

/** Lines by their names, and then sums. */
export function compareAmounts(
  { currency, lines }: Pick<BillAnswer, 'currency' | 'lines'>,
  expected: ExpectedBill['lines'],
  sums: readonly Sum[],
): Difference[] {
  const decimals = decimalsOf(currency);
  const found = Map.groupBy(lines, lineName);
  const names = [...new Set([...found.keys(), ...expected.keys()])];
  const compared = names.map((what) => ({
    what,
    found: found.get(what)?.map(({ amount }) => amount),
    expected: expected.get(what),
  }));
  return [...compared, ...sums.map((sum) => ({ ...sum, found: [sum.found] }))]
    .filter((line) => !isAmount(line.found, line.expected, decimals))
    .map((line) => ({
      what: line.what,
      found: line.found?.join(' + ') ?? null,
      expected: line.expected === undefined ? null : amountText(line.expected, decimals),
    }));
}

/** Whether lines sum to an amount in minor units, exactly. */
function isAmount(
  found: readonly string[] | undefined,
  expected: bigint | undefined,
  decimals: number,
): boolean {
  if (found === undefined || expected === undefined) return false;
  return isSame(found.map(ratioOf).reduce(plus), fromMinorUnits(expected, decimals));
}
