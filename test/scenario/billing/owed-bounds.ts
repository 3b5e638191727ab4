import type { Subscription } from '#domain/subscriptions/subscription.ts';
import { exact, greater, minus, NOTHING, parse, plus, rounded, sum, times, type Exact } from './exact.ts';
import { DECIMALS, idOf, periodsIn, type Going, type OwedItem, type Promised } from './owed-items.ts';
import { minuteOf, type Minute, type Minutes } from './zoned-periods.ts';

interface Bound extends Promised {
  readonly id: string;
  readonly own: Minutes;
  readonly whole: Minutes;
  readonly dueAt: Minute;
}

type Part = OwedItem['parts'][number];

/** What minimums and maximums add and take off: shorter ones first, and of equal ones the minimum. */
export function owedBounds(
  promises: readonly Going<Promised>[],
  charges: readonly OwedItem[],
  {
    subscription,
    until,
    isOpen,
  }: {
    readonly subscription: Subscription;
    readonly until: Minute;
    /** Whether charges go on where the bound ends, so that what is spent is known later. */
    readonly isOpen: (going: Going<Promised>) => boolean;
  },
): OwedItem[] {
  const decimals = DECIMALS[subscription.currency] ?? 2;
  const end = subscription.endAt === null ? Infinity : minuteOf(subscription.endAt);
  const parts = charges.flatMap((item) => item.parts);
  return promises
    .flatMap((going) => boundsOf(going, until, isOpen(going) ? end : going.to))
    .toSorted(
      (a, b) => lengthOf(a.own) - lengthOf(b.own) || a.own.from - b.own.from || (a.id < b.id ? 1 : -1),
    )
    .map((bound) => {
      const part = { time: bound.own, amount: amountOf(bound, parts, decimals) };
      parts.push(part);
      const { id, kind, own, whole, dueAt } = bound;
      return { id, kind, period: own, whole, dueAt, parts: [part], isRough: false };
    });
}

const lengthOf = ({ from, to }: Minutes): number => to - from;

function boundsOf(
  { key, from, to, periods, parts }: Going<Promised>,
  until: Minute,
  latest: Minute,
): Bound[] {
  const [first] = parts;
  if (!first || periods === null) throw new Error('a bound is promised for periods');
  return periodsIn({ from, to }, periods, until).map((each) => ({
    ...first.content,
    ...each,
    id: idOf(key, each.own.from),
    dueAt: Math.min(each.whole.to, latest),
  }));
}

function amountOf(
  { kind, amount, factor, own, whole }: Bound,
  parts: readonly Part[],
  decimals: number,
): Exact {
  const share = exact(lengthOf(own), lengthOf(whole));
  const bound = rounded(times(parse(amount), share), decimals);
  const spent = sum(parts.map((part) => rounded(countedOf(part, own, whole), decimals)));
  if (kind === 'maximum') return minus(NOTHING, greater(NOTHING, minus(spent, bound)));
  const beyond = times(greater(NOTHING, minus(spent, bound)), minus(parse(factor), exact(1n)));
  return plus(greater(NOTHING, minus(bound, spent)), rounded(beyond, decimals));
}

/** What of an amount for some time counts where a bound holds in a part of its period. */
function countedOf({ time, amount }: Part, own: Minutes, whole: Minutes): Exact {
  if (time.from < whole.from || time.to > whole.to) return NOTHING;
  const shared = Math.min(time.to, own.to) - Math.max(time.from, own.from);
  return shared <= 0 ? NOTHING : times(amount, exact(shared, lengthOf(time)));
}
