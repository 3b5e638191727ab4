import type { PlanCharge } from '#domain/plans/plan-version.ts';
import type { Price, Tier } from '#domain/pricing/charge.ts';
import {
  blocks,
  exact,
  greater,
  isMore,
  lesser,
  minus,
  NOTHING,
  parse,
  plus,
  rounded,
  sum,
  times,
  type Exact,
} from './exact.ts';

/** Decimals that a part of free units, or of a tier, keeps. */
const UNIT_DECIMALS = 18;
const ONE = exact(1n);

/** A stretch of an item in which one thing is due, with the part of the whole period that it is. */
export interface OwedSegment {
  readonly charge: PlanCharge;
  readonly part: Exact;
  /** Of usage: by group where the price is one of groups. */
  readonly used: ReadonlyMap<string, Exact>;
  /** Of a fee. */
  readonly seats: Exact;
}

/** What each segment of an item comes to, each amount of a line by itself rounded to the currency's decimals. */
export function owedOf(segments: readonly OwedSegment[], decimals: number): Exact[][] {
  const stretches = stretchesOf(segments);
  return segments.map((segment, index) => {
    const amounts = segment.charge.meter == null ? feeOf(segment) : usageOf(segments, stretches, index);
    return settled(segment, amounts, decimals);
  });
}

/** Percentage off, then rounding, then what is missing to a minimum. */
function settled({ charge, part }: OwedSegment, amounts: readonly Exact[], decimals: number): Exact[] {
  const rest = minus(ONE, times(parse(charge.discount?.percent ?? '0'), exact(1, 100)));
  const lines = amounts.map((amount) => rounded(times(amount, rest), decimals));
  if (charge.minimum == null) return lines;
  const least = times(parse(charge.minimum), part);
  return [...lines, rounded(greater(NOTHING, minus(least, sum(lines))), decimals)];
}

const feeOf = ({ charge, part, seats }: OwedSegment): Exact[] => [
  times(priceOf(charge.price, { from: NOTHING, to: seats, all: seats, begins: true }), part),
];

/** Where in its period the units of a segment are. */
interface Units {
  readonly from: Exact;
  readonly to: Exact;
  /** Of all segments that go on in one another. */
  readonly all: Exact;
  readonly begins: boolean;
}

/** The units of each segment, less those that are free, counted from where the one before it ended if its charge goes on there. */
function stretchesOf(segments: readonly OwedSegment[]): Units[] {
  const placed: { from: Exact; to: Exact; begins: boolean; run: number }[] = [];
  let run = 0;
  for (const { charge, part, used } of segments) {
    const before = (charge.onChange ?? 'continue') === 'continue' ? placed.at(-1) : undefined;
    if (before === undefined) run++;
    const from = before?.to ?? NOTHING;
    const free = rounded(times(parse(charge.quantity?.free ?? '0'), part), UNIT_DECIMALS);
    const billable = greater(NOTHING, minus(sum([...used.values()]), free));
    placed.push({ from, to: plus(from, billable), begins: before === undefined, run });
  }
  return placed.map(({ from, to, begins, run: own }) => ({
    from,
    to,
    begins,
    all: placed.findLast((each) => each.run === own)?.to ?? to,
  }));
}

function usageOf(segments: readonly OwedSegment[], stretches: readonly Units[], index: number): Exact[] {
  const [segment, units] = [segments[index], stretches[index]];
  if (!segment || !units) throw new Error('a segment has its units');
  const { price } = segment.charge;
  if (price.model === 'matrix') {
    return [...segment.used].map(([group, quantity]) => {
      const cell = price.cells.find(({ match }) => Object.values(match)[0] === group);
      return times(quantity, parse(cell?.unitPrice ?? price.defaultUnitPrice ?? '0'));
    });
  }
  const isLast = !segments[index + 1] || stretches[index + 1]?.begins === true;
  return [priceOf(tiersFor(segment), { ...units, begins: price.model === 'volume' ? isLast : units.begins })];
}

function tiersFor({ charge: { price, onChange }, part }: OwedSegment): Price {
  if (onChange !== 'prorateTiers' || !('tiers' in price) || price.model === 'graduatedPercentage')
    return price;
  const cut = (text: string | null | undefined): string | null =>
    text == null ? null : cutText(times(parse(text), part));
  return {
    ...price,
    tiers: price.tiers.map((tier) => ({ ...tier, upTo: cut(tier.upTo), flatFee: cut(tier.flatFee) })),
  };
}

const cutText = (value: Exact): string => {
  const { top } = rounded(value, UNIT_DECIMALS);
  const digits = String(top).padStart(UNIT_DECIMALS + 1, '0');
  return `${digits.slice(0, -UNIT_DECIMALS)}.${digits.slice(-UNIT_DECIMALS)}`;
};

/** What units from here to there cost, exactly. `begins`: a fee that is due even without usage is due with them. */
function priceOf(price: Price, units: Units): Exact {
  switch (price.model) {
    case 'flat':
      return times(parse(price.amount), units.to);
    case 'perUnit':
      return times(minus(units.to, units.from), parse(price.unitPrice));
    case 'package': {
      const size = parse(price.size);
      return times(minus(blocks(units.to, size), blocks(units.from, size)), parse(price.price));
    }
    case 'graduated':
      return graduated(price.tiers, units);
    case 'volume':
      return volume(price.tiers, units);
    case 'matrix':
    case 'percentage':
    case 'graduatedPercentage':
    case 'dynamic':
      throw new Error(`no scenario has a price of model ${price.model}`);
  }
}

function graduated(tiers: readonly Tier[], { from, to, begins }: Units): Exact {
  let above = NOTHING;
  let total = NOTHING;
  for (const [index, { upTo, unitPrice, flatFee }] of tiers.entries()) {
    const end = upTo === null ? to : lesser(to, parse(upTo));
    const start = greater(from, above);
    if (isMore(end, start)) total = plus(total, times(minus(end, start), parse(unitPrice ?? '0')));
    const isReached = index === 0 ? begins : isMore(to, above) && !isMore(from, above);
    if (isReached) total = plus(total, parse(flatFee ?? '0'));
    if (upTo !== null) above = parse(upTo);
  }
  return total;
}

function volume(tiers: readonly Tier[], { from, to, all, begins }: Units): Exact {
  const tier = tiers.find(({ upTo }) => upTo === null || !isMore(all, parse(upTo)));
  if (tier === undefined) throw new Error('the last tier has no bound');
  const fee = begins ? parse(tier.flatFee ?? '0') : NOTHING;
  return plus(fee, times(minus(to, from), parse(tier.unitPrice ?? '0')));
}
