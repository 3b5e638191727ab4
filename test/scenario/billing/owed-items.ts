import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import type { Phase, PlanCharge, PlanVersion, PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import type { Subscription, Terms } from '#domain/subscriptions/subscription.ts';
import { exact, parse, sum, times, type Exact } from './exact.ts';
import { owedOf, type OwedSegment } from './owed-amounts.ts';
import { owedBounds } from './owed-bounds.ts';
import { measure, type UsageLog } from './usage-log.ts';
import {
  localDaysIn,
  minuteAfter,
  minuteOf,
  periodsOf,
  type Minute,
  type Minutes,
  type Periods,
} from './zoned-periods.ts';

export const DECIMALS: Readonly<Record<string, number>> = { EUR: 2, JPY: 0, BHD: 3 };

/** What the model knows besides the timeline of a subscription. */
export interface Facts {
  readonly plans: ReadonlyMap<string, PlanVersion>;
  readonly usage: UsageLog;
  /** How far it is asked. */
  readonly until: Minute;
}

/** Something that a subscription owes, by the name that invoices have for it. */
export interface OwedItem {
  readonly id: string;
  readonly kind: 'usage' | 'fee' | 'once' | 'minimum' | 'maximum';
  readonly period: Minutes;
  readonly whole: Minutes;
  readonly dueAt: Minute;
  /** When it is there, paused time left out, with what is owed for each stretch. */
  readonly parts: readonly { readonly time: Minutes; readonly amount: Exact }[];
  /** A fee that is the same for any part of its period, or of a day. */
  readonly isRough: boolean;
}

export const amountOf = ({ parts }: Pick<OwedItem, 'parts'>): Exact => sum(parts.map(({ amount }) => amount));

/** A time in which terms and phase are the same. */
interface Stretch extends Minutes {
  readonly terms: Terms;
  readonly version: PlanVersion;
  readonly phase: Phase;
}

/** One thing that is due in a stretch. */
export interface Thing<Content> {
  readonly key: string;
  /** Whatever differs here begins anew. */
  readonly sameness: string;
  readonly periods: Periods | null;
  readonly content: Content;
}

/** A thing over the stretches in which it goes on. */
export interface Going<Content> extends Minutes {
  readonly key: string;
  readonly periods: Periods | null;
  readonly parts: readonly { readonly stretch: Stretch; readonly content: Content }[];
}

interface Taken {
  readonly charge: PlanCharge;
  readonly seats: Exact;
}

const CADENCES: Readonly<Record<string, number>> = { P1M: 1, P3M: 3, P1Y: 12 };
const nameOf = ({ plan, version }: { readonly plan: string; readonly version: number }): string =>
  `${plan}/${version}`;

/** All that a subscription ever owes, as far as the model is asked: from its timeline, and nothing that the code under test computed. */
export function owedItems(subscription: Subscription, facts: Facts): OwedItem[] {
  const stretches = stretchesIn(subscription, facts.plans);
  const charges = goings(stretches, (stretch) => chargesIn(stretch, subscription)).flatMap((going) =>
    going.periods === null
      ? onceItems(going, subscription)
      : chargeItems(going, going.periods, { subscription, facts }),
  );
  const bounds = goings(stretches, (stretch) => boundsIn(stretch, subscription));
  const isOpen = ({ to, parts }: Going<Promised>): boolean => {
    const next = stretches.find(({ from }) => from === to);
    return next !== undefined && ruleOf(next) === ruleOf(parts.at(-1)?.stretch ?? next);
  };
  return [...charges, ...owedBounds(bounds, charges, { subscription, until: facts.until, isOpen })];
}

/** Where this stays, charges go on. */
const ruleOf = ({ version, terms }: Stretch): string =>
  JSON.stringify([version.family ?? version.plan, terms.anchor]);

function stretchesIn({ terms, endAt, timezone }: Subscription, plans: Facts['plans']): Stretch[] {
  const end = endAt === null ? Infinity : minuteOf(endAt);
  return terms.flatMap((each, index) => {
    const version = plans.get(nameOf(each));
    if (version === undefined) throw new Error(`no plan ${nameOf(each)}`);
    const next = terms[index + 1];
    const to = Math.min(next ? minuteOf(next.from) : Infinity, end);
    const from = minuteOf(each.from);
    return phaseStarts(version, each.phasesFrom, timezone)
      .map(({ phase, at }, place, all) => ({
        from: place === 0 ? from : Math.max(at, from),
        to: Math.min(all[place + 1]?.at ?? Infinity, to),
        terms: each,
        version,
        phase,
      }))
      .filter((stretch) => stretch.from < stretch.to);
  });
}

/** Days and months in a row are counted together, from where the first of them began. */
function phaseStarts({ phases }: PlanVersionDefinition, start: Instant, zone: string) {
  const starts: { phase: Phase; at: Minute }[] = [];
  let [origin, months, days, at] = [start, 0, 0, minuteOf(start)];
  for (const phase of phases) {
    starts.push({ phase, at });
    const [, count = '', unit = ''] = /^P(\d+)([DM])$/.exec(phase.duration ?? '') ?? [];
    const isMonths = unit === 'M';
    if (isMonths ? days > 0 : months > 0) [origin, months, days] = [at * MICROS_PER_MINUTE, 0, 0];
    if (isMonths) months += Number(count);
    else days += Number(count);
    at = minuteAfter(origin, { months, days }, zone);
  }
  return starts;
}

function chargesIn(
  { terms, version, phase }: Stretch,
  { currency, timezone, startAt }: Subscription,
): Thing<Taken>[] {
  const added = (version.addOns ?? []).flatMap(({ key, charges }) => {
    const count = terms.addOns[key] ?? '0';
    return count === '0' ? [] : charges.map((charge) => ({ charge, count }));
  });
  const all = [...phase.charges.map((charge) => ({ charge, count: '1' })), ...added];
  return all.map(({ charge: given, count }) => {
    const { inCurrency, ...first } = given;
    const own = terms.overrides[given.key];
    const inOwn = { ...first, ...inCurrency?.[currency], ...own };
    const charge: PlanCharge = {
      ...inOwn,
      price: own?.price ?? inCurrency?.[currency]?.price ?? first.price,
    };
    const cadence = charge.cadence ?? 'P1M';
    const months = CADENCES[cadence];
    const periods =
      months === undefined ? null : periodsOf(months, timezone, { anchor: terms.anchor, start: startAt });
    const seats = times(parse(terms.quantities[charge.key] ?? charge.seats ?? '1'), parse(count));
    return {
      key: charge.key,
      sameness: [version.family ?? version.plan, cadence, charge.meter, charge.timing, periods?.name].join(),
      periods,
      content: { charge, seats },
    };
  });
}

export interface Promised {
  readonly kind: 'minimum' | 'maximum';
  readonly amount: string;
  readonly factor: string;
}

function boundsIn(
  { terms, version, phase }: Stretch,
  { currency, timezone, startAt }: Subscription,
): Thing<Promised>[] {
  if (terms.paused) return [];
  const minimum = phase.minimum ?? version.minimum;
  const maximum = phase.maximum ?? version.maximum;
  const promised = [
    ...(minimum ? [{ kind: 'minimum' as const, bound: minimum, factor: minimum.overageFactor ?? '1' }] : []),
    ...(maximum ? [{ kind: 'maximum' as const, bound: maximum, factor: '1' }] : []),
  ];
  return promised.map(({ kind, bound, factor }) => {
    const periods = periodsOf(CADENCES[bound.cadence ?? 'P1M'] ?? 1, timezone, {
      anchor: terms.anchor,
      start: startAt,
    });
    const amount = bound.amount[currency] ?? '0';
    return {
      key: kind === 'minimum' ? 'planMinimum' : 'planMaximum',
      sameness: [version.family ?? version.plan, amount, factor, periods.name].join(),
      periods,
      content: { kind, amount, factor },
    };
  });
}

function goings<Content>(
  stretches: readonly Stretch[],
  thingsIn: (stretch: Stretch) => readonly Thing<Content>[],
): Going<Content>[] {
  const all: {
    key: string;
    sameness: string;
    periods: Periods | null;
    parts: { stretch: Stretch; content: Content }[];
  }[] = [];
  for (const stretch of stretches) {
    for (const { key, sameness, periods, content } of thingsIn(stretch)) {
      const open = all.find(
        (each) =>
          each.key === key && each.sameness === sameness && each.parts.at(-1)?.stretch.to === stretch.from,
      );
      if (open) open.parts.push({ stretch, content });
      else all.push({ key, sameness, periods, parts: [{ stretch, content }] });
    }
  }
  return all.map(({ key, periods, parts }) => ({
    key,
    periods,
    parts,
    from: parts[0]?.stretch.from ?? 0,
    to: parts.at(-1)?.stretch.to ?? 0,
  }));
}

/** The periods of what goes on, cut where it begins and ends. */
export function periodsIn(
  { from, to }: Minutes,
  periods: Periods,
  until: Minute,
): { readonly own: Minutes; readonly whole: Minutes }[] {
  const found: { own: Minutes; whole: Minutes }[] = [];
  for (let at = from; at < to && at <= until;) {
    const whole = periods.at(at);
    const own = { from: at, to: Math.min(whole.to, to) };
    found.push({ own, whole });
    at = own.to;
  }
  return found;
}

export const idOf = (key: string, from: Minute): string =>
  `${key}@${formatInstant(from * MICROS_PER_MINUTE)}`;

interface Asked {
  readonly subscription: Subscription;
  readonly facts: Facts;
}

function chargeItems(going: Going<Taken>, periods: Periods, asked: Asked): OwedItem[] {
  return periodsIn(going, periods, asked.facts.until).flatMap(({ own, whole }): OwedItem[] => {
    const times = timesIn(going, own);
    const [first] = times;
    if (first === undefined) return [];
    const { charge } = first;
    const isAdvance = charge.timing === 'inAdvance';
    const isAlone = charge.meter == null && charge.proration === 'none';
    const owed = isAlone ? [alone(times, own, isAdvance)] : times;
    const segments = owed.map((each) => segmentOf(each, whole, asked));
    const amounts = owedOf(segments, DECIMALS[asked.subscription.currency] ?? 2);
    return [
      {
        id: idOf(going.key, own.from),
        kind: charge.meter == null ? 'fee' : 'usage',
        period: own,
        whole,
        dueAt: isAdvance ? first.time.from : own.to,
        parts: owed.map(({ time }, index) => ({ time, amount: sum(amounts[index] ?? []) })),
        isRough: times.some(
          (each) => each.charge.meter == null && (each.charge.proration ?? 'exact') !== 'exact',
        ),
      },
    ];
  });
}

interface Timed extends Taken {
  readonly time: Minutes;
}

/** When a thing is there in a period, in stretches in which nothing about it changes. */
function timesIn({ parts }: Going<Taken>, within: Minutes): Timed[] {
  const found: (Timed & { name: string })[] = [];
  for (const { stretch, content } of parts) {
    const time = { from: Math.max(stretch.from, within.from), to: Math.min(stretch.to, within.to) };
    if (time.from >= time.to || stretch.terms.paused) continue;
    const name = JSON.stringify([
      nameOf(stretch.version),
      content.charge,
      String(content.seats.top),
      String(content.seats.bottom),
    ]);
    const last = found.at(-1);
    if (last?.name === name && last.time.to === time.from)
      found[found.length - 1] = { ...last, time: { from: last.time.from, to: time.to } };
    else found.push({ ...content, time, name });
  }
  return found;
}

/** A fee that is not cut is due once: as it begins if it is paid in advance, and as it ends if in arrears. */
function alone(times: readonly Timed[], own: Minutes, isAdvance: boolean): Timed {
  const [first, last] = [times[0], times.at(-1)];
  if (!first || !last) throw new Error('a fee is there at some time');
  return { ...(isAdvance ? first : last), time: own };
}

function segmentOf(
  { charge, seats, time }: Timed,
  whole: Minutes,
  { subscription, facts }: Asked,
): OwedSegment {
  const { timezone, customer } = subscription;
  const events = charge.meter == null ? [] : facts.usage.of(customer, charge.meter, time);
  const groups =
    charge.price.model === 'matrix' ? Map.groupBy(events, ({ model }) => model) : new Map([['', events]]);
  const part = partOf(charge.proration ?? 'exact', time, whole, timezone);
  const used = new Map([...groups].map(([group, each]) => [group, measure(charge.meter ?? '', each, part)]));
  return { charge, seats, used, part };
}

function partOf(proration: 'exact' | 'day' | 'none', time: Minutes, whole: Minutes, zone: string): Exact {
  if (proration === 'none') return exact(1n);
  const days = proration === 'day' ? localDaysIn(whole, zone) : 0;
  if (days > 0) return exact(localDaysIn(time, zone), days);
  return exact(time.to - time.from, whole.to - whole.from);
}

/** When what is due once begins, and again for what there is more of than ever before. */
function onceItems({ key, parts }: Going<Taken>, { currency }: Subscription): OwedItem[] {
  const items: OwedItem[] = [];
  let held = exact(0n);
  for (const { stretch, content } of parts) {
    const more = {
      top: content.seats.top * held.bottom - held.top * content.seats.bottom,
      bottom: content.seats.bottom * held.bottom,
    };
    if (stretch.terms.paused || more.top <= 0n) continue;
    held = content.seats;
    const time = { from: stretch.from, to: stretch.from + 1 };
    const segment = { charge: content.charge, part: exact(1n), used: new Map<string, Exact>(), seats: more };
    const [amounts = []] = owedOf([segment], DECIMALS[currency] ?? 2);
    items.push({
      id: idOf(key, time.from),
      kind: 'once',
      period: time,
      whole: time,
      dueAt: time.from,
      parts: [{ time, amount: sum(amounts) }],
      isRough: true,
    });
  }
  return items;
}

/** When each charge is in force, by its key. */
export function chargesInForce(
  subscription: Subscription,
  plans: Facts['plans'],
  { from, to }: Minutes,
): ReadonlyMap<string, readonly Minutes[]> {
  const found = new Map<string, Minutes[]>();
  for (const stretch of stretchesIn(subscription, plans)) {
    if (stretch.terms.paused) continue;
    const time = { from: Math.max(from, stretch.from), to: Math.min(to, stretch.to) };
    for (const { key } of chargesIn(stretch, subscription)) found.set(key, [...(found.get(key) ?? []), time]);
  }
  return found;
}
