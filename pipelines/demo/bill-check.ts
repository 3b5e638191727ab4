import type { ApiClient } from './api-client.ts';
import { evaluateBill, type BillAnswer } from './bill.ts';
import type { DataSet, Fact } from './data-set.ts';
import { billIndependently, decimalsOf, lineName, type ExpectedBill } from './expected-bill.ts';
import { amountText, fromMinorUnits, isSame, plus, ratioOf } from './ratio.ts';

/** A customer's bill, and whatever in it is not as it was computed independently. */
export interface CheckedBill {
  readonly bill: BillAnswer;
  readonly different: readonly Difference[];
}

/** Null where there is no such line. */
export interface Difference {
  readonly what: string;
  readonly found: string | null;
  readonly expected: string | null;
}

/** Every customer's bill over all that was sent, beside one that is made from the events themselves. */
export async function checkBills(
  client: ApiClient,
  { catalogue, charges, from, to }: DataSet,
  facts: readonly Fact[],
): Promise<CheckedBill[]> {
  const bills: CheckedBill[] = [];
  for (const [customer, { subjects }] of Object.entries(catalogue.customers)) {
    const bill = await evaluateBill(client, { ...charges, customer, from, to });
    const own = facts.filter(({ subject }) => subjects.includes(subject));
    bills.push({ bill, different: compareBill(bill, billIndependently(catalogue, charges, own)) });
  }
  return bills;
}

/** Line by line and the total, to the last minor unit. */
export function compareBill(
  { currency, lines, totals }: Pick<BillAnswer, 'currency' | 'lines' | 'totals'>,
  expected: ExpectedBill,
): Difference[] {
  const decimals = decimalsOf(currency);
  const found = Map.groupBy(lines, lineName);
  const names = [...new Set([...found.keys(), ...expected.lines.keys()])];
  const compared = names.map((what) => ({
    what,
    found: found.get(what)?.map(({ amount }) => amount),
    expected: expected.lines.get(what),
  }));
  const total = { what: 'total', found: [totals.total], expected: expected.total };
  return [...compared, total]
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
