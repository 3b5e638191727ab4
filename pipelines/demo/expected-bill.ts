import type { CatalogueFile } from '#infra/catalogue/catalogue-file.ts';
import type { ChargesFile, FileCharge } from './charges-file.ts';
import type { Fact } from './data-set.ts';
import { countedBy, measure } from './expected.ts';
import {
  atLeastNothing,
  dividedBy,
  fromMinorUnits,
  inMinorUnits,
  isLess,
  least,
  minus,
  NOTHING,
  plus,
  ratioOf,
  times,
  wholeUp,
  type Ratio,
} from './ratio.ts';

/** A line of a bill by what tells it from all others of the bill. */
export interface LineName {
  readonly charge: string | null;
  /** What it is for: what units or a fee cost, or what a discount, maximum or minimum changes. */
  readonly kind: string;
  readonly dimensions?: Group;
}

type Group = Readonly<Record<string, string>>;

/** What a customer must pay, by the names of lines, in minor units of the currency. */
export interface ExpectedBill {
  readonly lines: ReadonlyMap<string, bigint>;
  readonly total: bigint;
}

/** How many decimals amounts of a currency have: by ISO 4217 as the JavaScript engine knows it, not by the product's own table. */
export const decimalsOf = (currency: string): number =>
  new Intl.NumberFormat('en-US', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ??
  0;

export function lineName({ charge, kind, dimensions = {} }: LineName): string {
  const values = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  const what = kind === 'usage' || kind === 'fixed' ? 'price' : kind;
  return [charge, what, ...values.map(([name, value]) => `${name}=${value}`)].join(' ');
}

/** What these events cost their customer, from the events themselves, and with other means than those that priced the cells. */
export function billIndependently(
  { meters }: Pick<CatalogueFile, 'meters'>,
  { currency, charges }: ChargesFile,
  facts: readonly Fact[],
): ExpectedBill {
  const decimals = decimalsOf(currency);
  const lines = new Map(
    charges.flatMap((charge) => linesOf(charge, usageOf(charge, meters, facts), decimals)),
  );
  return { lines, total: sumOf([...lines.values()]) };
}

/** A tax as the files of the demo give it, in percent. */
export interface TaxRate {
  readonly rate: string;
}

/** What is due on a net amount in minor units: each tax is rounded once, over the whole invoice. */
export const taxIndependently = (net: bigint, rates: readonly TaxRate[], decimals: number): bigint =>
  sumOf(
    rates.map(({ rate }) =>
      inMinorUnits(times(fromMinorUnits(net, decimals), dividedBy(ratioOf(rate), ratioOf('100'))), decimals),
    ),
  );

const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, each) => sum + each, 0n);

/** What becomes one line. */
interface Usage {
  readonly group: Group;
  readonly quantity: Ratio;
}

function usageOf(
  { meter, price }: FileCharge,
  meters: CatalogueFile['meters'],
  facts: readonly Fact[],
): readonly Usage[] {
  if (price.model === 'flat') return [{ group: {}, quantity: ratioOf('1') }];
  const definition = meters[meter ?? ''];
  if (definition === undefined) throw new Error(`the catalogue has no meter ${String(meter)}`);
  const counted = countedBy(definition, facts);
  // Of no events there is no greatest, so no usage either.
  const quantityOf = (own: readonly Fact[]): Ratio =>
    own.length === 0 ? NOTHING : ratioOf(measure(definition, own));
  if (price.model !== 'matrix') return [{ group: {}, quantity: quantityOf(counted) }];
  const { dimensions: paths = {} } = definition;
  const groupOf = ({ data }: Fact): Group =>
    Object.fromEntries(price.dimensions.map((name) => [name, String(data[paths[name] ?? ''] ?? '')]));
  const byGroup = Map.groupBy(counted, (fact) => JSON.stringify(groupOf(fact)));
  return [...byGroup].map(([group, own]) => ({
    group: JSON.parse(group) as Group,
    quantity: quantityOf(own),
  }));
}

/** A line for each usage, and one for whatever a discount, the maximum and the minimum change: the difference of two rounded amounts. */
function linesOf(charge: FileCharge, usage: readonly Usage[], decimals: number): [string, bigint][] {
  const { key, maximum, minimum = '0' } = charge;
  const round = (exact: Ratio): bigint => inMinorUnits(exact, decimals);
  const amounts = usage.map(({ group, quantity }) => ({
    group,
    exact: priceOf(charge.price, billable(charge, quantity), group),
  }));
  const priced = amounts.map(({ group, exact }): [string, bigint] => [
    lineName({ charge: key, kind: 'usage', dimensions: group }),
    round(exact),
  ]);
  const discounted = afterDiscount(
    charge,
    amounts.map(({ exact }) => exact),
    decimals,
  );
  const capped = maximum === undefined ? discounted : least(discounted, ratioOf(maximum));
  const raised = isLess(ratioOf(minimum), fromMinorUnits(round(capped), decimals))
    ? capped
    : ratioOf(minimum);
  let reached = sumOf(priced.map(([, amount]) => amount));
  const changes = Object.entries({ discount: discounted, maximum: capped, minimum: raised }).map(
    ([kind, exact]): [string, bigint] => {
      const change = round(exact) - reached;
      reached += change;
      return [lineName({ charge: key, kind }), change];
    },
  );
  return [...priced, ...changes.filter(([, change]) => change !== 0n)];
}

/** What is priced of what was measured. */
const billable = ({ quantity }: FileCharge, measured: Ratio): Ratio =>
  atLeastNothing(
    minus(dividedBy(measured, ratioOf(quantity?.divideBy ?? '1')), ratioOf(quantity?.free ?? '0')),
  );

/** An amount that is alone stays exact to the end; of several, each is rounded by itself. */
function afterDiscount({ discount }: FileCharge, amounts: readonly Ratio[], decimals: number): Ratio {
  const rest = minus(ratioOf('1'), dividedBy(ratioOf(discount?.percent ?? '0'), ratioOf('100')));
  const [first = NOTHING, ...others] = amounts.map((amount) => times(amount, rest));
  const rounded = (exact: Ratio): Ratio => fromMinorUnits(inMinorUnits(exact, decimals), decimals);
  const together = others.length === 0 ? first : [first, ...others].map(rounded).reduce(plus);
  return atLeastNothing(minus(together, ratioOf(discount?.amount ?? '0')));
}

type FilePrice = FileCharge['price'];

/** So many units of a group at a price, exact. */
function priceOf(price: FilePrice, quantity: Ratio, group: Group): Ratio {
  switch (price.model) {
    case 'flat':
      return ratioOf(price.amount);
    case 'perUnit':
      return times(quantity, ratioOf(price.unitPrice));
    case 'package':
      return times(wholeUp(dividedBy(quantity, ratioOf(price.size))), ratioOf(price.price));
    case 'matrix': {
      const cell = price.cells.find(({ match }) =>
        price.dimensions.every((name) => match[name] === group[name]),
      );
      return times(quantity, ratioOf(cell?.unitPrice ?? price.defaultUnitPrice ?? '0'));
    }
    case 'volume':
      return volumePrice(price.tiers, quantity);
    case 'graduated':
      return graduatedPrice(price.tiers, quantity);
  }
}

type Tiers = Extract<FilePrice, { readonly model: 'graduated' }>['tiers'];

function volumePrice(tiers: Tiers, quantity: Ratio): Ratio {
  const tier = tiers.find(({ upTo }) => upTo === null || !isLess(ratioOf(upTo), quantity));
  return plus(times(quantity, ratioOf(tier?.unitPrice ?? '0')), ratioOf(tier?.flatFee ?? '0'));
}

function graduatedPrice(tiers: Tiers, quantity: Ratio): Ratio {
  let [amount, above] = [NOTHING, NOTHING];
  for (const [index, { upTo, unitPrice = '0', flatFee = '0' }] of tiers.entries()) {
    if (index > 0 && !isLess(above, quantity)) break;
    const end = upTo === null ? quantity : least(quantity, ratioOf(upTo));
    amount = plus(amount, plus(ratioOf(flatFee), times(minus(end, above), ratioOf(unitPrice))));
    above = end;
  }
  return amount;
}
