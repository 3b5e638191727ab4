import type { Price } from '#domain/pricing/charge.ts';
import { Decimal, ONE, ZERO, toDecimalText } from '#domain/money/decimal.ts';
import { round } from '#domain/money/rounding.ts';
import { prepareCharge } from '#domain/pricing/prepared-charge.ts';
import { rateCharge, type RatedCharge } from '#domain/pricing/rate-charge.ts';
import type { Usage } from '#domain/pricing/usage.ts';
import { summarise, type Figure } from './figure.ts';
import { startMeasuring } from './measure.ts';

/*
 * What rating one line costs, its whole working included, beside the bare sums: the same multiplications, additions and comparisons with
 * decimal.js, rounded, and nothing kept. Charges are prepared before, as they are for many lines of a run; usage differs from call to call.
 * All models run in one process, so that no call site sees one model alone.
 */

const DECIMALS = 2;
/** Different usage, so that no amount is the one just computed. */
const USAGES = 1_000;
const CELLS = 1_000;
/** Calls of a matrix price are of so many lines each; their usage repeats sooner. */
const MATRIX_USAGES = 10;

interface Comparison {
  readonly name: string;
  readonly price: Price;
  readonly usages: readonly Usage[];
  readonly linesPerUsage: number;
  readonly bare: (usage: Usage) => Decimal;
}

/** Prices with small decimals, as those of tokens and gigabytes are. */
const TIERS = [
  { upTo: '1000', unitPrice: '0.5' },
  { upTo: '5000', unitPrice: '0.45' },
  { upTo: '20000', unitPrice: '0.375' },
  { upTo: '50000', unitPrice: '0.3125' },
  { upTo: null, unitPrice: '0.25125' },
];
const BARE_TIERS = TIERS.map(({ upTo, unitPrice }, index) => ({
  above: new Decimal(TIERS[index - 1]?.upTo ?? 0),
  upTo: upTo === null ? undefined : new Decimal(upTo),
  unitPrice: new Decimal(unitPrice),
}));
const UNIT_PRICE = new Decimal('0.0125');
const FEE = new Decimal('49');
const PACKAGE = { size: new Decimal(1_000), price: new Decimal('1.25') };

const cellPrices = new Map(
  Array.from({ length: CELLS }, (_, cell) => [`model-${cell}`, new Decimal(`0.0${100 + cell}`)]),
);

/** Beyond the bound of the fourth tier, so that a graduated line has a part for each of five. */
const quantities: readonly Usage[] = Array.from({ length: USAGES }, (_, index) => ({
  quantity: new Decimal(50_001 + ((index * 7_919) % 99_991)),
}));

const matrixUsages: readonly Usage[] = Array.from({ length: MATRIX_USAGES }, (_, usage) => ({
  groups: [...cellPrices.keys()].map((model, index) => ({
    dimensions: { model },
    quantity: new Decimal(1 + (((usage * CELLS + index) * 7_919) % 99_991)),
  })),
}));

const quantityOf = (usage: Usage): Decimal => ('quantity' in usage ? usage.quantity : ZERO);

const bareGraduated = (quantity: Decimal): Decimal => {
  let amount = ZERO;
  for (const { above, upTo, unitPrice } of BARE_TIERS) {
    if (quantity.lte(above)) break;
    const end = upTo && quantity.gt(upTo) ? upTo : quantity;
    amount = amount.plus(end.minus(above).times(unitPrice));
  }
  return round(amount, DECIMALS);
};

const bareVolume = (quantity: Decimal): Decimal => {
  const tier = BARE_TIERS.find(({ upTo }) => !upTo || quantity.lte(upTo));
  return round(quantity.times(tier?.unitPrice ?? ZERO), DECIMALS);
};

const barePackages = (quantity: Decimal): Decimal => {
  const full = quantity.divToInt(PACKAGE.size);
  const begun = full.times(PACKAGE.size).lt(quantity) ? full.plus(ONE) : full;
  return round(begun.times(PACKAGE.price), DECIMALS);
};

const bareMatrix = (usage: Usage): Decimal => {
  let total = ZERO;
  for (const { dimensions, quantity } of 'groups' in usage ? usage.groups : [])
    total = total.plus(round(quantity.times(cellPrices.get(dimensions['model'] ?? '') ?? ZERO), DECIMALS));
  return total;
};

const ofQuantity = (name: string, price: Price, bare: (quantity: Decimal) => Decimal): Comparison => ({
  name,
  price,
  usages: quantities,
  linesPerUsage: 1,
  bare: (usage) => bare(quantityOf(usage)),
});

const COMPARISONS: readonly Comparison[] = [
  ofQuantity('unit price', { model: 'perUnit', unitPrice: toDecimalText(UNIT_PRICE) }, (quantity) =>
    round(quantity.times(UNIT_PRICE), DECIMALS),
  ),
  ofQuantity('flat', { model: 'flat', amount: toDecimalText(FEE) }, () => round(ONE.times(FEE), DECIMALS)),
  ofQuantity('graduated, 5 tiers', { model: 'graduated', tiers: TIERS }, bareGraduated),
  ofQuantity('volume, 5 tiers', { model: 'volume', tiers: TIERS }, bareVolume),
  ofQuantity(
    'package',
    { model: 'package', size: toDecimalText(PACKAGE.size), price: toDecimalText(PACKAGE.price) },
    barePackages,
  ),
  {
    name: `matrix, ${CELLS.toLocaleString('en-US')} cells and groups`,
    price: {
      model: 'matrix',
      dimensions: ['model'],
      cells: [...cellPrices].map(([model, price]) => ({
        match: { model },
        unitPrice: toDecimalText(price),
      })),
    },
    usages: matrixUsages,
    linesPerUsage: CELLS,
    bare: bareMatrix,
  },
];

export interface RatingBench {
  readonly rounds: number;
  /** Of each price and side in each round. */
  readonly lines: number;
  readonly record: (figure: Figure) => void;
}

/** Nanoseconds of CPU a line, of rating and of the bare sums in turn, after a warm-up of all. */
export function benchRating({ rounds, lines, record }: RatingBench): void {
  const sides = COMPARISONS.map((comparison) => ({ ...comparison, rate: rater(comparison) }));
  for (const side of sides) check(side);
  const measure = (): { rated: number; bare: number }[] =>
    sides.map(({ rate, bare, usages, linesPerUsage }) => ({
      rated: nanosecondsPerCall(rate, usages, lines / linesPerUsage) / linesPerUsage,
      bare: nanosecondsPerCall(bare, usages, lines / linesPerUsage) / linesPerUsage,
    }));
  measure();
  const measured = Array.from({ length: rounds }, measure);
  sides.forEach(({ name }, index) => {
    const of = measured.map((round) => round[index]!);
    const ratios = of.map(({ rated, bare }) => rated / bare);
    record(
      summarise(
        `bare sums: ${name}`,
        'CPU-ns/line',
        of.map(({ bare }) => bare),
      ),
    );
    record({
      ...summarise(
        `rated: ${name}`,
        'CPU-ns/line',
        of.map(({ rated }) => rated),
      ),
      peer: 'bare sums',
      ratio: summarise('', '', ratios).value,
    });
  });
}

type Rate = (usage: Usage) => RatedCharge;

function rater({ price }: Comparison): Rate {
  const charge = prepareCharge({ price });
  return (usage) => rateCharge(charge, { usage, decimals: DECIMALS });
}

/** Both sides come to the same, and the working to what was rated. */
function check({ name, rate, bare, usages, linesPerUsage }: Comparison & { readonly rate: Rate }): void {
  for (const usage of usages) {
    const { amount, lines, working } = rate(usage);
    const worked = working.reduce(
      (sum, stage) => (stage.stage === 'price' ? sum.plus(stage.rounded ?? stage.amount) : sum),
      ZERO,
    );
    const expected = bare(usage);
    if (!amount.eq(expected) || !worked.eq(expected) || lines.length !== linesPerUsage)
      throw new Error(
        `${name}: ${toDecimalText(amount)} in ${lines.length} lines, not ${toDecimalText(expected)} in ${linesPerUsage}`,
      );
  }
}

/** What came out last is held, so that no work is left out as useless. */
let held: unknown;

function nanosecondsPerCall(
  work: (usage: Usage) => unknown,
  usages: readonly Usage[],
  calls: number,
): number {
  const stop = startMeasuring();
  for (let call = 0; call < calls; call++) held = work(usages[call % usages.length]!);
  const { cpuSeconds } = stop();
  if (held === undefined) throw new Error('nothing was measured');
  return (cpuSeconds * 1e9) / calls;
}
