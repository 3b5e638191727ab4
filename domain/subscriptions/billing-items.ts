import { billingPeriods, type BillingPeriod } from '../calendar/billing-period.ts';
import { periodAt, type PeriodRule } from '../calendar/period.ts';
import { formatInstant } from '../calendar/rfc3339.ts';
import { timeZone, type TimeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import { MICROS_PER_MINUTE, type Instant } from '../instant.ts';
import { chargeSegments } from '../invoicing/charge-segments.ts';
import { familyOf } from '../plans/plan-parts.ts';
import { Decimal, ONE, toDecimalText, ZERO } from '../money/decimal.ts';
import type { BillingItem, BoundItem, ChargeItem, ItemSegment } from './billing-item.ts';
import type { ChargeInForce } from './charges-in-force.ts';
import { merged } from './merge-by-due.ts';
import type { PlanVersions } from './plan-versions.ts';
import { boundRuns, chargeRuns, type BoundInForce, type Run, type RunPart } from './run.ts';
import { stretchesOf, type Stretch } from './stretch.ts';
import type { Subscription } from './subscription.ts';

export interface ItemRange {
  /** Leaves out what was over and due before: an item that ends at `from`, or a bound that is due then, is in. All of the subscription's past without it. */
  readonly from?: Instant | undefined;
  /** Leaves out what begins later: an item that begins at `until` is in. */
  readonly until: Instant;
}

/**
 * What a subscription is billed for, item by item, in the order in which it is due: a function of its timeline and of the plan versions that
 * it names, and of nothing else. Lazy; what is not asked for is not computed.
 *
 * For each charge that is in force the periods of its cadence, cut where its run begins and ends, so that an item is complete at its `dueAt` and
 * neighbours leave no minute out. A later change never moves the beginning of an item that has begun: it ends earlier, or has other segments.
 * A charge that is due once has an item at its beginning, of one minute, and one more where its seats rise above what they were.
 * Worked: monthly from 31 January are items from 31 January, 28 February and 31 March; a change of seats on 10 February is in the first.
 */
export function* billingItems(
  subscription: Subscription,
  versions: PlanVersions,
  range: ItemRange,
): Generator<BillingItem, void> {
  const stretches = stretchesOf(subscription, versions);
  const zone = timeZone(subscription.timezone);
  yield* merged<BillingItem>([
    ...chargeRuns(subscription, stretches).map((run) => chargeItems(run, zone, range)),
    ...boundRuns(subscription, stretches).map((run) =>
      boundItems(run, dueBy(run, subscription, stretches), range),
    ),
  ]);
}

/** The periods of a run that begin by `until`, without those that were wholly over before `from`. */
function* periodsOf(
  { from, to }: TimeWindow,
  rule: PeriodRule,
  range: ItemRange,
): Generator<BillingPeriod, void> {
  if (from > range.until) return;
  // The period before a moment's own ends with it at the latest.
  const asked = range.from === undefined ? from : periodAt(rule, range.from - MICROS_PER_MINUTE).from;
  if (to < asked) return;
  const start = Math.max(from, asked);
  for (const period of billingPeriods(rule, { start, end: to })) {
    if (period.from > range.until) return;
    yield period;
  }
}

function* chargeItems(
  run: Run<ChargeInForce>,
  zone: TimeZone,
  range: ItemRange,
): Generator<ChargeItem, void> {
  if (run.rule === null) return yield* onceItems(run, zone, range);
  for (const period of periodsOf(run, run.rule, range)) {
    if (period.to < (range.from ?? period.to)) continue;
    const [first, ...rest] = segmentsIn(run, period, zone);
    // All of it is paused.
    if (first === undefined) continue;
    const { kind, charge } = run.parts[0].content;
    const dueAt = kind === 'fee' && charge.timing === 'inAdvance' ? first.from : period.to;
    yield { kind, id: idOf(run.key, period), charge: run.key, period, segments: [first, ...rest], dueAt };
  }
}

/** Names an item by where it begins, which no later change moves. */
const idOf = (key: string, { from }: TimeWindow): string => `${key}@${formatInstant(from)}`;

function segmentsIn(run: Run<ChargeInForce>, within: TimeWindow, zone: TimeZone): ItemSegment[] {
  const segments: ItemSegment[] = [];
  for (const part of run.parts) {
    if (part.stretch.from >= within.to) break;
    if (part.stretch.terms.paused || part.stretch.to <= within.from) continue;
    for (const segment of pricedSegments(part, within, zone)) {
      const before = segments.at(-1);
      if (before !== undefined && isTheSame(before, segment))
        segments[segments.length - 1] = { ...before, to: segment.to };
      else segments.push(segment);
    }
  }
  return segments;
}

function pricedSegments(
  { stretch, content: { charge, seats } }: RunPart<ChargeInForce>,
  within: TimeWindow,
  zone: TimeZone,
): ItemSegment[] {
  const { plan, version } = stretch.version;
  const whole = { from: Math.max(stretch.from, within.from), to: Math.min(stretch.to, within.to) };
  const cut = charge.rates?.length
    ? chargeSegments(charge, whole, zone)
    : [{ ...whole, price: charge.price }];
  return cut.map(({ from, to, price }) => ({ from, to, plan, version, charge, price, seats }));
}

/** Whether nothing changes for a charge where its terms do: another charge's seats were changed, or what was there began anew. */
function isTheSame(before: ItemSegment, after: ItemSegment): boolean {
  if (before.to !== after.from) return false;
  return contentOf(before) === contentOf(after);
}

const contentOf = ({ plan, version, charge, price, seats }: ItemSegment): string =>
  JSON.stringify([plan, version, charge, price, seats]);

/** A fee that is due once: when its run begins, and again for the seats that are added, at most as many as there ever were. */
function* onceItems(
  { key, parts }: Run<ChargeInForce>,
  zone: TimeZone,
  { from = -Infinity, until }: ItemRange,
): Generator<ChargeItem, void> {
  let paid = ZERO;
  for (const part of parts) {
    const start = part.stretch.from;
    if (start > until) return;
    if (part.stretch.terms.paused) continue;
    const { seats } = part.content;
    const held = seats === null ? ONE : new Decimal(seats);
    const added = held.minus(paid);
    if (added.lte(0)) continue;
    paid = held;
    const moment = { from: start, to: start + MICROS_PER_MINUTE };
    if (moment.to < from) continue;
    const asAdded = { ...part, content: { ...part.content, seats: seats && toDecimalText(added) } };
    const [segment] = pricedSegments(asAdded, moment, zone);
    if (segment === undefined) throw new Error('a stretch has a minute at least');
    const period = { ...moment, period: moment, stub: null };
    yield { kind: 'once', id: idOf(key, moment), charge: key, period, segments: [segment], dueAt: start };
  }
}

function* boundItems(run: Run<BoundInForce>, latest: Instant, range: ItemRange): Generator<BoundItem, void> {
  if (run.rule === null) throw new Error('a bound has a cadence');
  const { content } = run.parts[0];
  for (const period of periodsOf(run, run.rule, range)) {
    const dueAt = Math.min(period.period.to, latest);
    if (dueAt >= (range.from ?? dueAt)) yield { ...content, id: idOf(run.key, period), period, dueAt };
  }
}

/**
 * By when the last bound of a run is due. One that is cut by a change or a pause through which charges go on waits for the rest of its period: what was
 * spent in its part is only known then. Where everything begins anew, or ends, it is due at once.
 */
function dueBy(
  { parts, to }: Run<BoundInForce>,
  { endAt }: Subscription,
  stretches: readonly Stretch[],
): Instant {
  const last = (parts.at(-1) ?? parts[0]).stretch;
  const next = stretches.find(({ from }) => from === to);
  const goesOn =
    next !== undefined &&
    familyOf(next.version) === familyOf(last.version) &&
    JSON.stringify(next.terms.anchor) === JSON.stringify(last.terms.anchor);
  return goesOn ? (endAt ?? Infinity) : to;
}
