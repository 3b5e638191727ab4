import { floorToMinute, type Instant } from '#domain/instant.ts';
import type { CustomerInterval } from '#infra/usage/tables.ts';

/** Time [from, to) in which a subject belongs to one customer; null: until something else is said. */
export interface OwnedSpan {
  readonly from: Instant;
  readonly to: Instant | null;
}

/** The first owner has all there ever was: usage is stored by subject and may be older than the customer. */
export const FROM_THE_BEGINNING: Instant = 0;

/** Whose usage it is that a subject has at `time`; null when nobody's. `row` is the subject's, or undefined where there is none. */
export function customerAt(
  row: { readonly customers: readonly CustomerInterval[] } | undefined,
  time: Instant,
): string | null {
  if (row === undefined) return null;
  // From the end: usage is mostly of today, and intervals are in order.
  for (let place = row.customers.length - 1; place >= 0; place--) {
    const interval = row.customers[place];
    if (interval !== undefined && interval.from <= time) return interval.customer;
  }
  return null;
}

/** When a customer owned, owns and will own the subject, in order. */
export function ownedSpans(intervals: readonly CustomerInterval[], customer: string): OwnedSpan[] {
  return intervals.flatMap(({ from, customer: owner }, place) =>
    owner === customer ? [{ from, to: intervals[place + 1]?.from ?? null }] : [],
  );
}

/** Every customer that has an interval. */
export const ownersOf = (intervals: readonly CustomerInterval[]): Set<string> =>
  new Set(intervals.flatMap(({ customer }) => customer ?? []));

/**
 * The intervals once the subject belongs to `customer` (null: to nobody) from the minute of `from` on, whatever was to come after it.
 * Worked: [0: a, 90: b] given to c from 60 on is [0: a, 60: c].
 */
export function ownedFrom(
  intervals: readonly CustomerInterval[],
  customer: string | null,
  from: Instant,
): CustomerInterval[] {
  const start = floorToMinute(from);
  return joined([...intervals.filter((interval) => interval.from < start), { from: start, customer }]);
}

/**
 * The intervals once `customer` has none of the subject's time from the minute of `from` on; what others have stays theirs. Worked:
 * [0: a, 90: b] without a from 60 on is [0: a, 60: nobody, 90: b].
 */
export function disownedFrom(
  intervals: readonly CustomerInterval[],
  customer: string,
  from: Instant,
): CustomerInterval[] {
  const start = floorToMinute(from);
  return joined(
    intervals.flatMap((interval, place) => {
      const end = intervals[place + 1]?.from ?? Infinity;
      if (interval.customer !== customer || end <= start) return [interval];
      const nobody = { from: Math.max(start, interval.from), customer: null };
      return interval.from < start ? [interval, nobody] : [nobody];
    }),
  );
}

/** The customers that own some of the time from the minute of `from` on. */
export function ownersFrom(intervals: readonly CustomerInterval[], from: Instant): Set<string> {
  const start = floorToMinute(from);
  return ownersOf(intervals.filter((_, place) => (intervals[place + 1]?.from ?? Infinity) > start));
}

/** Neighbours of one owner are one interval, and time before the first owner needs none. */
function joined(intervals: readonly CustomerInterval[]): CustomerInterval[] {
  const result: CustomerInterval[] = [];
  for (const interval of intervals)
    if (interval.customer !== (result.at(-1)?.customer ?? null)) result.push(interval);
  return result;
}
