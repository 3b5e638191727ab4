import { MICROS_PER_MINUTE } from '#domain/instant.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { PlanVersion } from '#domain/plans/plan-version.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import { paidTime, type Billed } from './coverage.ts';
import { isEqual, isMore, NOTHING, exact, times, type Exact } from './exact.ts';
import { amountOf, chargesInForce, DECIMALS, type OwedItem } from './owed-items.ts';
import { minuteOf, type Minute, type Minutes } from './zoned-periods.ts';

export interface Read {
  readonly billed: ReadonlyMap<string, Billed>;
  readonly plans: ReadonlyMap<string, PlanVersion>;
  readonly until: Minute;
}

/**
 * Looks at every minute of every charge of a subscription: it is paid for exactly once where the charge is in force and was due, and at no
 * other time.
 */
export function coverageFaults(subscription: Subscription, items: readonly OwedItem[], read: Read): string[] {
  const begin = minuteOf(subscription.startAt);
  const periodic = items.filter(({ kind }) => kind === 'usage' || kind === 'fee');
  const end = Math.max(begin, ...periodic.map(({ whole }) => whole.to));
  const inForce = chargesInForce(subscription, read.plans, { from: begin, to: end });
  return [...Map.groupBy(periodic, ({ id }) => keyOf(id))].flatMap(([key, ofCharge]) => {
    const [expected, actual] = [new Int8Array(end - begin), new Int8Array(end - begin)];
    const add = (counts: Int8Array, { from, to }: Minutes): void => {
      for (let minute = from; minute < to; minute++)
        counts[minute - begin] = (counts[minute - begin] ?? 0) + 1;
    };
    for (const item of ofCharge) {
      // Of a charge in force every minute of what was due; what begins later is not due yet.
      const due = (inForce.get(key) ?? [])
        .map((time) => within(time, item.period))
        .filter(({ from, to }) => from < to);
      for (const time of due) add(expected, time);
      for (const time of paidTimes(subscription, item, due, read.billed)) add(actual, time);
    }
    const at = actual.findIndex((count, minute) => count !== expected[minute]);
    if (at < 0) return [];
    const moment = formatInstant((begin + at) * MICROS_PER_MINUTE);
    return [
      `${subscription.id} ${key}: paid ${actual[at]} times for ${moment}, and is due ${expected[at]} times`,
    ];
  });
}

const keyOf = (id: string): string => id.slice(0, id.indexOf('@'));

const within = (time: Minutes, { from, to }: Minutes): Minutes => ({
  from: Math.max(time.from, from),
  to: Math.min(time.to, to),
});

/** What invoices have, or, where that cannot be told to the minute since it makes no difference to the money, what is due. */
function paidTimes(
  { id, currency }: Subscription,
  item: OwedItem,
  due: readonly Minutes[],
  billed: Read['billed'],
): readonly Minutes[] {
  const found = billed.get(`${id} ${item.id}`);
  const times = found ? paidTime(found) : [];
  if (isEqual(amountOf(item), NOTHING)) return due;
  const isSame =
    item.isRough || isWorthLessThan(minorUnit(currency), item, minutesIn(times) - minutesIn(due));
  return isSame && covers(times, due) ? due : times;
}

const minorUnit = (currency: string): Exact => exact(1n, 10n ** BigInt(DECIMALS[currency] ?? 2));
const minutesIn = (times: readonly Minutes[]): number =>
  times.reduce((all, { from, to }) => all + to - from, 0);

/** A fee that became a few minutes shorter, and no cheaper, is not given back in part. */
function isWorthLessThan(unit: Exact, item: OwedItem, minutes: number): boolean {
  if (item.kind !== 'fee' || minutes <= 0) return false;
  const own = minutesIn(item.parts.map(({ time }) => time));
  return isMore(unit, times(amountOf(item), exact(minutes, own)));
}

const covers = (times: readonly Minutes[], due: readonly Minutes[]): boolean =>
  due.every(({ from, to }) => times.some((time) => time.from <= from && time.to >= to));
