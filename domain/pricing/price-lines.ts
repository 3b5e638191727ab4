import { ONE, ZERO, type Decimal } from '../money/decimal.ts';
import { violation } from './check-number.ts';
import {
  convertedUnits,
  freeUnits,
  isFirstBilling,
  place,
  quantityBefore,
  type Placed,
} from './positions.ts';
import { mergeGroups, spreadFree } from './groups.ts';
import type { EventsBefore, Model, Part, Stretch } from './model.ts';
import type { PreparedCharge } from './prepared-charge.ts';
import { PricingError } from './pricing-error.ts';
import { prorateAmount } from './proration.ts';
import type { Dimensions, RateRequest, Reached, UsageEvent, UsageGroup } from './usage.ts';
import type { QuantityStage } from './working.ts';

/** What becomes one line: a charge in one segment, or one group of it. Amounts are exact. */
export interface PricedLine {
  readonly dimensions: Dimensions | undefined;
  readonly quantity: Decimal;
  readonly parts: readonly Part[];
  readonly placed: QuantityStage | undefined;
}

export interface Priced {
  readonly lines: readonly PricedLine[];
  readonly reached: Reached;
  /** What came before this segment came to at the same price, if that can be told. */
  readonly grossBefore: (() => Decimal) | undefined;
}

const NO_DIMENSIONS: Dimensions = {};
const NO_GROUPS: ReadonlyMap<string, UsageGroup> = new Map();
const NONE_FREE: readonly [Decimal, Decimal] = [ZERO, ZERO];
const NOTHING_REACHED: Reached = { units: ZERO, groups: NO_GROUPS, events: 0, value: ZERO };

/** The lines of a charge before any rounding or discount. Throws `PricingError` (`usage_not_ratable`) for usage that the price cannot use. */
export function priceLines(charge: PreparedCharge, request: RateRequest): Priced {
  const model = modelFor(charge, request);
  const { usage } = request;
  if ('seats' in usage) return seatLines(charge, request, usage.seats);
  if (model.model === 'flat') return feeLine(charge, request, ONE);
  if ('quantity' in usage) return quantityLine(charge, model, request, measuredOf(model, usage.quantity));
  if ('groups' in usage) return groupLines(charge, model, request, usage.groups);
  if (!model.linear && model.rateEvents) return eventsLine(charge, model, request, usage.events);
  if (model.input === 'groups') return groupLines(charge, model, request, usage.events.map(asGroup));
  return quantityLine(charge, model, request, totalOf(usage.events.map(({ value }) => value)));
}

/** Tiers are cut to the part of the period where the charge says so. */
const modelFor = ({ model, onChange }: PreparedCharge, { fraction, usage }: RateRequest): Model =>
  onChange === 'prorateTiers' && fraction && !('seats' in usage)
    ? (model.prorated?.(fraction) ?? model)
    : model;

const asGroup = ({ value, dimensions = NO_DIMENSIONS }: UsageEvent): UsageGroup => ({
  dimensions,
  quantity: value,
});

const totalOf = (values: readonly Decimal[]): Decimal => values.reduce((sum, each) => sum.plus(each), ZERO);

const refuse = (pointer: string, code: string, message: string): PricingError =>
  new PricingError('usage_not_ratable', [violation(pointer, code, message)]);

/** One quantity is too little to know for a price by groups, or by events unless it is linear. */
function measuredOf(model: Model, quantity: Decimal): Decimal {
  if (model.input === 'groups')
    throw refuse(
      '/usage',
      'groups_needed',
      `a price of model ${model.model} needs groups, or events with dimensions`,
    );
  if (model.input === 'events' && !model.linear)
    throw refuse('/usage', 'events_needed', 'this price judges each event by itself: it needs events');
  return quantity;
}

/** A fee, or one for each seat, of the part of the period it is for. */
function feeLine(charge: PreparedCharge, request: RateRequest, quantity: Decimal): Priced {
  const stretch = { from: ZERO, to: quantity, begins: true, tierQuantity: undefined, feeDue: true };
  const { fraction } = request;
  const whole = charge.model.rate(stretch, NO_DIMENSIONS);
  const parts =
    fraction && charge.prorates
      ? whole.map((part) => ({ ...part, amount: prorateAmount(part.amount, fraction) }))
      : whole;
  const line = { dimensions: undefined, quantity, parts, placed: undefined };
  return { lines: [line], reached: request.reached ?? NOTHING_REACHED, grossBefore: () => ZERO };
}

function seatLines(charge: PreparedCharge, request: RateRequest, seats: Decimal): Priced {
  if (charge.model.input !== 'quantity')
    throw refuse(
      '/usage/seats',
      'seats_not_priced',
      `a price of model ${charge.model.model} is of usage, not of seats`,
    );
  if (seats.isNegative() && !seats.isZero())
    throw refuse('/usage/seats', 'below_zero', 'must not be below 0');
  return feeLine(charge, request, seats);
}

function quantityLine(charge: PreparedCharge, model: Model, request: RateRequest, now: Decimal): Priced {
  const free = freeUnits(charge, request);
  const { reached } = request;
  const placed = place(charge, request, {
    now,
    before: quantityBefore(request),
    free: [free, free],
    reached: reached?.units,
    begins: isFirstBilling(request.before, reached),
    ofPeriod: request.volume?.period.units,
    dimensions: undefined,
  });
  return {
    lines: [lineOf(model, placed, undefined)],
    reached: { ...(reached ?? NOTHING_REACHED), units: placed.stretch.to },
    grossBefore: () => (placed.stretch.begins ? ZERO : amountBefore(model, placed, NO_DIMENSIONS)),
  };
}

function lineOf(model: Model, { stretch, working }: Placed, dimensions: Dimensions | undefined): PricedLine {
  const { from, to } = stretch;
  const parts = model.rate(stretch, dimensions ?? NO_DIMENSIONS);
  return {
    dimensions,
    quantity: from.isZero() ? to : to.minus(from),
    parts,
    placed: working,
  };
}

/** What the units up to the start of a stretch came to. */
function amountBefore(model: Model, { stretch }: Placed, dimensions: Dimensions): Decimal {
  const beforehand: Stretch = { ...stretch, from: ZERO, to: stretch.from, begins: true };
  return totalOf(model.rate(beforehand, dimensions).map(({ amount }) => amount));
}

function groupLines(
  charge: PreparedCharge,
  model: Model,
  request: RateRequest,
  groups: readonly UsageGroup[],
): Priced {
  if (model.input === 'events')
    throw refuse('/usage', 'events_needed', `a price of model ${model.model} needs events`);
  if (charge.overTotal && model.input === 'quantity')
    return quantityLine(charge, model, request, totalOf(groups.map(({ quantity }) => quantity)));
  const now = mergeGroups(groups);
  const before = groupsBefore(charge, model, request);
  const earlier = [...before.values(), ...feesDue(request).values()];
  const all = earlier.length === 0 ? now : mergeGroups([...now.values(), ...earlier.map(noneOf)]);
  const placed = placeGroups(charge, request, all, before);
  const lines = [...all].flatMap(([key, { dimensions }]) => {
    const place = placed.get(key);
    if (place === undefined) return [];
    const line = lineOf(model, place, dimensions);
    return now.has(key) || line.parts.some(({ amount }) => !amount.isZero()) ? [line] : [];
  });
  return {
    lines,
    reached: reachedBy(request, all, placed),
    // Of groups that were not told apart before, a linear price can go on, but it cannot be told what they came to.
    grossBefore:
      before.size === 0 && request.before?.quantity.isZero() === false
        ? undefined
        : () =>
            totalOf([...before].map(([key, { dimensions }]) => amountOf(model, placed.get(key), dimensions))),
  };
}

const amountOf = (model: Model, placed: Placed | undefined, dimensions: Dimensions): Decimal =>
  placed ? amountBefore(model, placed, dimensions) : ZERO;

const noneOf = ({ dimensions }: UsageGroup): UsageGroup => ({ dimensions, quantity: ZERO });

/** The last of the segments that go on has the flat fee of a volume price also for groups that have no usage in it. */
const feesDue = ({ volume, reached }: RateRequest): ReadonlyMap<string, UsageGroup> =>
  volume?.feeDue && reached ? reached.groups : NO_GROUPS;

/** Where every unit costs the same and none are free, it does not matter what each group had before. */
function groupsBefore(
  { quantity }: PreparedCharge,
  { linear }: Model,
  { before, mode }: RateRequest,
): ReadonlyMap<string, UsageGroup> {
  if (before === undefined || mode === 'cumulative') return new Map();
  if (before.groups) return mergeGroups(before.groups);
  if (before.quantity.isZero() || (linear && quantity.free.isZero() && quantity.convert === undefined))
    return new Map();
  throw refuse(
    '/before/groups',
    'groups_needed',
    'must say what each group had before: its tiers or free units go on',
  );
}

function placeGroups(
  charge: PreparedCharge,
  request: RateRequest,
  all: ReadonlyMap<string, UsageGroup>,
  before: ReadonlyMap<string, UsageGroup>,
): ReadonlyMap<string, Placed> {
  const free = freeOfGroups(charge, request, all, before);
  const placed = new Map<string, Placed>();
  for (const [key, { dimensions, quantity }] of all) {
    const measured = {
      now: quantity,
      before: before.get(key)?.quantity ?? ZERO,
      free: free.get(key) ?? NONE_FREE,
      reached: request.reached ? (request.reached.groups.get(key)?.quantity ?? ZERO) : undefined,
      // Each group has tiers of its own, and so a first billing of its own.
      begins: !(request.reached ? request.reached.groups : before).has(key),
      ofPeriod: request.volume?.period.groups.get(key)?.quantity,
      dimensions,
    };
    placed.set(key, place(charge, request, measured));
  }
  return placed;
}

/** The free units of each group, up to the end and up to the start of this segment. */
function freeOfGroups(
  charge: PreparedCharge,
  request: RateRequest,
  all: ReadonlyMap<string, UsageGroup>,
  before: ReadonlyMap<string, UsageGroup>,
): ReadonlyMap<string, readonly [Decimal, Decimal]> {
  const free = freeUnits(charge, request);
  if (free.isZero()) return new Map();
  const had = [...all.keys()].map((key) => before.get(key)?.quantity ?? ZERO);
  const units = [...all.values()].map(({ quantity }, index) =>
    convertedUnits(charge, quantity.plus(had[index] ?? ZERO)),
  );
  const freeNow = spreadFree(free, units);
  const freeBefore = spreadFree(
    free,
    had.map((each) => convertedUnits(charge, each)),
  );
  return new Map(
    [...all.keys()].map((key, index) => [key, [freeNow[index] ?? ZERO, freeBefore[index] ?? ZERO]]),
  );
}

function reachedBy(
  { reached = NOTHING_REACHED }: RateRequest,
  all: ReadonlyMap<string, UsageGroup>,
  placed: ReadonlyMap<string, Placed>,
): Reached {
  const groups = new Map(reached.groups);
  for (const [key, { dimensions }] of all)
    groups.set(key, { dimensions, quantity: placed.get(key)?.stretch.to ?? ZERO });
  return { ...reached, groups };
}

function eventsLine(
  charge: PreparedCharge,
  model: Model,
  request: RateRequest,
  given: readonly UsageEvent[],
): Priced {
  const { convert } = charge.quantity;
  const events = convert ? given.map(({ value }) => ({ value: convert(value) })) : given;
  const before = eventsBefore(charge, request);
  const parts = model.rateEvents?.(events, before) ?? [];
  const quantity = totalOf(events.map(({ value }) => value));
  const reached = request.reached ?? NOTHING_REACHED;
  return {
    lines: [{ dimensions: undefined, quantity, parts, placed: undefined }],
    reached: { ...reached, events: before.count + events.length, value: before.value.plus(quantity) },
    // What came before is known by its sum only: how each event was priced cannot be told.
    grossBefore: before.count === 0 ? () => ZERO : undefined,
  };
}

function eventsBefore(
  { quantity: { convert } }: PreparedCharge,
  { before, mode, reached }: RateRequest,
): EventsBefore {
  if (reached) return { count: reached.events, value: reached.value };
  if (before === undefined || mode === 'cumulative') return { count: 0, value: ZERO };
  if (before.events === undefined && !before.quantity.isZero())
    throw refuse(
      '/before/events',
      'events_needed',
      'must say how many events came before: some may have been free',
    );
  return { count: before.events ?? 0, value: convert ? convert(before.quantity) : before.quantity };
}
