import type { TimeWindow } from '../calendar/window.ts';
import type { Instant } from '../instant.ts';
import { add, compare, subtract, toDecimalString, type Quantity } from '../metering/quantity.ts';
import type { Overage } from './limit.ts';

/**
 * Why an answer is what it is. `within_limit`: there is room. `no_limit`: the customer has no limits on the feature. `quota_exceeded`: a
 * hard limit refuses. `over_soft_limit`, `metered_overage`: there is no room, and it is allowed all the same. `unknown_feature`,
 * `archived_feature`: there is nothing to be entitled to; `unknown_customer`, `archived_customer`: nobody to be.
 */
export type Reason =
  | 'within_limit'
  | 'no_limit'
  | 'quota_exceeded'
  | 'over_soft_limit'
  | 'metered_overage'
  | 'unknown_feature'
  | 'archived_feature'
  | 'unknown_customer'
  | 'archived_customer';

/** One limit and what is used and held of it now. */
export interface LimitState {
  readonly key: string;
  readonly overage: Overage;
  readonly amount: Quantity;
  /** Null where the meter measures nothing in an empty period (min, max, average, latest). */
  readonly used: Quantity | null;
  readonly held: Quantity;
  readonly period: TimeWindow;
  /**
   * When usage goes down again without anybody's doing: the end of the period; in a rolling window the moment from which on what was
   * asked for fits, or, where it fits now, the first usage leaves. Null when it never does.
   */
  readonly resetsAt: Instant | null;
}

/** One limit, as answers show it: decimals are strings. */
export interface LimitAnswer {
  readonly limitKey: string;
  readonly overage: Overage;
  readonly allowed: boolean;
  readonly limit: string;
  readonly used: string | null;
  readonly reserved: string;
  readonly remaining: string;
  readonly period: TimeWindow;
  readonly resetsAt: Instant | null;
}

/** May a customer use a feature (so much of it), and why. The fields of the tightest limit, and all limits. */
export interface Entitlement {
  readonly feature: string;
  /** `boolean`: a feature without a meter, which is had or not. */
  readonly kind: 'boolean' | 'metered';
  readonly allowed: boolean;
  readonly limit: string | null;
  readonly used: string | null;
  readonly reserved: string | null;
  readonly remaining: string | null;
  readonly period: TimeWindow | null;
  readonly overage: Overage | null;
  /** The tightest limit: the one that decides. */
  readonly limitKey: string | null;
  readonly limits: readonly LimitAnswer[];
  readonly resetsAt: Instant | null;
  readonly reason: Reason;
}

const NOTHING = {
  limit: null,
  used: null,
  reserved: null,
  remaining: null,
  period: null,
  overage: null,
  limitKey: null,
  limits: [],
  resetsAt: null,
} as const;

/** The answer where there is nothing to measure: no limits, no such feature, or no such customer. */
export const unlimited = (
  feature: string,
  kind: Entitlement['kind'],
  reason: Extract<Reason, 'no_limit' | `unknown_${string}` | `archived_${string}`>,
): Entitlement => ({ feature, kind, allowed: reason === 'no_limit', ...NOTHING, reason });

const roomIn = ({ amount, used, held }: LimitState): Quantity => subtract(amount, add(used ?? 0, held));

/** Whether so much more fits; without an amount, whether anything does. */
export function fits(state: LimitState, asked: Quantity | undefined): boolean {
  const room = roomIn(state);
  return asked === undefined ? compare(room, 0) > 0 : compare(asked, room) <= 0;
}

const STRENGTH: Readonly<Record<Overage, number>> = { hard: 0, soft: 1, metered: 2 };

/** Hard limits decide, so they come first; among equals the one with the least room, the latest reset, the first key. */
const byTightness = (a: LimitState, b: LimitState): number =>
  STRENGTH[a.overage] - STRENGTH[b.overage] ||
  compare(roomIn(a), roomIn(b)) ||
  (b.resetsAt ?? Infinity) - (a.resetsAt ?? Infinity) ||
  (a.key < b.key ? -1 : 1);

/**
 * The answer about a metered feature with limits: allowed if every hard limit has room for what is asked (for anything, without an
 * amount). Worked: a hard limit of 100 with 70 used and 20 reserved allows 10 and refuses 11.
 */
export function entitle(
  feature: string,
  states: readonly LimitState[],
  asked: Quantity | undefined,
): Entitlement {
  const limits = states.toSorted(byTightness);
  const [tightest] = limits;
  if (tightest === undefined) return unlimited(feature, 'metered', 'no_limit');
  const answers = limits.map((state) => answerOf(state, asked));
  const { limitKey, overage, limit, used, reserved, remaining, period, resetsAt } = answerOf(tightest, asked);
  const refused = answers.some(({ allowed }) => !allowed);
  return {
    feature,
    kind: 'metered',
    allowed: !refused,
    limit,
    used,
    reserved,
    remaining,
    period,
    overage,
    limitKey,
    limits: answers,
    resetsAt,
    reason: refused ? 'quota_exceeded' : reasonOf(limits, asked),
  };
}

function reasonOf(limits: readonly LimitState[], asked: Quantity | undefined): Reason {
  const full = limits.filter((state) => !fits(state, asked));
  if (full.some(({ overage }) => overage === 'soft')) return 'over_soft_limit';
  return full.length > 0 ? 'metered_overage' : 'within_limit';
}

function answerOf(state: LimitState, asked: Quantity | undefined): LimitAnswer {
  const { key, overage, amount, used, held, period, resetsAt } = state;
  const room = roomIn(state);
  return {
    limitKey: key,
    overage,
    allowed: overage !== 'hard' || fits(state, asked),
    limit: toDecimalString(amount),
    used: used === null ? null : toDecimalString(used),
    reserved: toDecimalString(held),
    remaining: toDecimalString(compare(room, 0) > 0 ? room : 0),
    period,
    resetsAt,
  };
}
