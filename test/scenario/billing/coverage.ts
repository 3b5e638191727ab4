import type { InvoiceLine } from '#domain/invoicing/invoice.ts';
import type { StoredInvoice } from '#infra/invoicing/read-invoices.ts';
import { isEqual, NOTHING, parse, plus, sum, type Exact } from './exact.ts';
import { METERS } from './usage-log.ts';
import { minuteOf, type Minutes } from './zoned-periods.ts';

/** What all invoices of a subscription together say of one item, as somebody reads them who has nothing else. */
export interface Billed {
  readonly item: string;
  amount: Exact;
  /** For what time it is paid, what was given back left out; by what was sold. */
  readonly times: Map<string, readonly Minutes[]>;
  /** All of it is given back as long as this is not nothing. */
  gone: Exact;
}

/** The time that an item is paid for. */
export const paidTime = ({ times, gone }: Billed): readonly Minutes[] =>
  isEqual(gone, NOTHING) ? [...times.values()].flat() : [];

/** Reads invoices that are not void, in the order in which they were made. By `<subscription> <item>`. */
export function readBilled(invoices: readonly StoredInvoice[]): Map<string, Billed> {
  const all = new Map<string, Billed>();
  for (const { content } of invoices) {
    const groups = Map.groupBy(content.lines, ({ subscription, item }) => `${subscription} ${item}`);
    for (const [name, lines] of groups) {
      const billed = all.get(name) ?? {
        item: lines[0]?.item ?? '',
        amount: NOTHING,
        times: new Map(),
        gone: NOTHING,
      };
      all.set(name, billed);
      for (const { amount } of lines) billed.amount = plus(billed.amount, parse(amount));
      if (lines.some(({ charge }) => charge === null || isMeter(charge))) readWhole(billed, lines);
      else readFees(billed, lines);
    }
  }
  return all;
}

const timeOf = ({ period }: Pick<InvoiceLine, 'period'>): Minutes => ({
  from: minuteOf(period.from),
  to: minuteOf(period.to),
});

/** Charges of usage are called as what they measure. */
const isMeter = (charge: string): boolean => Object.hasOwn(METERS, charge);

const SOLD: readonly string[] = ['usage', 'fixed', 'minimum', 'planMinimum', 'planOverage', 'planMaximum'];

/** Lines of several groups, or of a fee and its units, are for the same time. */
const timesOf = (lines: readonly InvoiceLine[]): readonly Minutes[] => [
  ...new Map(lines.map((line) => [JSON.stringify(line.period), timeOf(line)])).values(),
];

/** An invoice on usage says all of its item again, and takes off what was billed before. */
function readWhole({ times }: Billed, lines: readonly InvoiceLine[]): void {
  times.clear();
  times.set('usage', timesOf(lines.filter(({ kind }) => SOLD.includes(kind))));
}

/** One on fees says what is new of them, and what of what was billed is due no more. */
function readFees(billed: Billed, lines: readonly InvoiceLine[]): void {
  const [whole = [], parts = []] = [true, false].map((isWhole) =>
    lines.filter((line) => isWhole === (!SOLD.includes(line.kind) && line.quantity === null)),
  );
  billed.gone = sum([billed.gone, ...whole.filter(isTakenOff).map(({ amount }) => parse(amount))]);
  const sold = Map.groupBy(
    parts.filter((line) => SOLD.includes(line.kind) || isTakenOff(line)),
    ({ plan, planVersion, quantity, unitPrice }) => JSON.stringify([plan, planVersion, quantity, unitPrice]),
  );
  for (const [what, ofWhat] of sold) readSold(billed, what, ofWhat);
}

const isTakenOff = ({ kind }: InvoiceLine): boolean => kind === 'unused' || kind === 'billedBefore';

function readSold({ times }: Billed, what: string, lines: readonly InvoiceLine[]): void {
  const unused = lines.filter(({ kind }) => kind === 'unused');
  const due = timesOf(lines.filter(({ kind }) => SOLD.includes(kind)));
  if (unused.length > 0) times.set(what, unused.flatMap(stillDue));
  else if (lines.some(({ kind }) => kind === 'billedBefore')) times.set(what, due);
  else {
    // What came to nothing is not taken off when it is said again.
    const known = times.get(what) ?? [];
    const isKnown = (time: Minutes): boolean =>
      known.some(({ from, to }) => from === time.from && to === time.to);
    const nothing = timesOf(lines.filter(({ amount }) => amount === '0'))
      .filter(isKnown)
      .map(({ from }) => from);
    times.set(what, [...known, ...due.filter(({ from }) => !nothing.includes(from))]);
  }
}

const stillDue = ({ working }: InvoiceLine): Minutes[] =>
  working.flatMap((stage) => (stage.stage === 'stillDue' ? [timeOf(stage)] : []));
