import { MONTHS_PER_YEAR } from '../calendar/civil-date.ts';
import { isOfOneKind, parseDuration, type Duration } from '../calendar/duration.ts';
import { needsAnchor, type PeriodRule } from '../calendar/period.ts';
import { isTimeZone, timeZone } from '../calendar/time-zone.ts';
import { floorToMinute, MICROS_PER_MINUTE, type Instant } from '../instant.ts';
import { LIMITS_PER_FEATURE_MAX, ROLLING_WINDOW_MICROS_MAX } from '../limits.ts';
import type { Aggregation } from '../metering/accumulator.ts';
import { METER_KEY } from '../metering/meter.ts';
import { compare, parsePlainDecimal, toDecimalString, type Quantity } from '../metering/quantity.ts';
import type { Violation } from '../violation.ts';
import { rollingWindow, type RollingWindow } from './rolling.ts';

/** `hard` refuses what would pass the amount; `soft` allows it and says so; `metered` allows it, as usage that will be paid for. */
export const OVERAGES = ['hard', 'soft', 'metered'] as const;
export type Overage = (typeof OVERAGES)[number];

/** How a limit's usage begins anew: every so often, or never, as a window that ends now. ISO 8601 durations of one kind. */
export type LimitPeriod =
  | { readonly every: string; readonly anchor?: Instant | undefined; readonly timezone?: string | undefined }
  | { readonly rolling: string };

/** A limit as a user gives it; `amount` is a plain decimal. */
export interface LimitDefinition {
  readonly key: string;
  readonly amount: string;
  readonly period: LimitPeriod;
  readonly overage: Overage;
}

/** A limit's period ready for use. */
export type CompiledPeriod =
  | { readonly kind: 'every'; readonly rule: PeriodRule }
  | { readonly kind: 'rolling'; readonly window: RollingWindow };

/** The aggregations whose usage adds up event by event, so that a hard limit can keep it in a row. */
const LIMITABLE: ReadonlySet<Aggregation> = new Set(['count', 'sum']);
export const isLimitable = (aggregation: Aggregation): boolean => LIMITABLE.has(aggregation);

/** The same limits in one form: amounts canonical, the zone said and as the zone data spell it, the anchor a whole minute. */
export const normaliseLimits = (limits: readonly LimitDefinition[]): LimitDefinition[] =>
  limits.map(({ key, amount, period, overage }) => ({
    key,
    amount: toDecimalString(amountOf(amount)),
    period: normalisePeriod(period),
    overage,
  }));

function normalisePeriod(period: LimitPeriod): LimitPeriod {
  if ('rolling' in period) return { rolling: period.rolling };
  const { every, anchor, timezone = DEFAULT_ZONE } = period;
  return {
    every,
    ...(anchor === undefined ? {} : { anchor: floorToMinute(anchor) }),
    timezone: timeZone(timezone).name,
  };
}

const DEFAULT_ZONE = 'UTC';

/** Whether two limits count the same usage into the same periods: then one may take the other's place without counting anew. */
export const countsSame = (a: LimitDefinition, b: LimitDefinition): boolean =>
  (a.overage === 'hard') === (b.overage === 'hard') && periodText(a.period) === periodText(b.period);

const periodText = (period: LimitPeriod): string =>
  'rolling' in period
    ? JSON.stringify([period.rolling])
    : JSON.stringify([period.every, period.anchor ?? null, period.timezone ?? DEFAULT_ZONE]);

/** Reads a checked amount; throws on one that was not. */
export function amountOf(text: string): Quantity {
  const amount = parsePlainDecimal(text);
  if (typeof amount === 'string') throw new RangeError(`not an amount: ${text}`);
  return amount;
}

/** Reads a checked period; throws on one that was not. */
export function compilePeriod(period: LimitPeriod): CompiledPeriod {
  const length = parseLength('rolling' in period ? period.rolling : period.every);
  if (length === undefined) throw new RangeError('not a period that was checked');
  if ('rolling' in period) return { kind: 'rolling', window: rollingWindow(elapsedMinutes(length)) };
  const { anchor = null, timezone = DEFAULT_ZONE } = period;
  return { kind: 'every', rule: { every: length, anchor, zone: timeZone(timezone) } };
}

const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_DAY = 1_440;

/** A limit's lengths are of one kind, and whole minutes. */
function parseLength(text: string): Duration | undefined {
  const length = parseDuration(text);
  return length && isOfOneKind(length) && length.seconds % SECONDS_PER_MINUTE === 0 ? length : undefined;
}

/** Minutes of a length that is no months: a day of a rolling window is 24 hours. */
const elapsedMinutes = ({ days, seconds }: Duration): number =>
  days * MINUTES_PER_DAY + seconds / SECONDS_PER_MINUTE;

const DAYS_PER_YEAR = 366;

const isLongerThanYear = (length: Duration): boolean =>
  length.months > MONTHS_PER_YEAR || elapsedMinutes(length) > DAYS_PER_YEAR * MINUTES_PER_DAY;

/** All that is wrong with a feature's limits, at once; `aggregation` is that of the feature's meter. */
export function checkLimits(limits: readonly LimitDefinition[], aggregation: Aggregation): Violation[] {
  if (limits.length === 0)
    return [
      {
        pointer: '/limits',
        code: 'no_limits',
        message: 'has at least one limit; delete the limits to have none',
      },
    ];
  if (limits.length > LIMITS_PER_FEATURE_MAX)
    return [
      {
        pointer: '/limits',
        code: 'too_many_limits',
        message: `has at most ${LIMITS_PER_FEATURE_MAX} limits`,
      },
    ];
  const keys = limits.map(({ key }) => key);
  return limits.flatMap((limit, index) => {
    const at = `/limits/${index}`;
    return [
      ...checkKey(at, limit.key, keys.indexOf(limit.key) !== index),
      ...checkAmount(`${at}/amount`, limit.amount),
      ...checkPeriod(`${at}/period`, limit.period),
      ...checkOverage(`${at}/overage`, limit.overage, aggregation),
    ];
  });
}

function checkKey(at: string, key: string, taken: boolean): Violation[] {
  const pointer = `${at}/key`;
  if (!METER_KEY.test(key))
    return [{ pointer, code: 'invalid_key', message: `a limit's key matches ${METER_KEY.source}` }];
  return taken
    ? [{ pointer, code: 'duplicate_key', message: 'another limit of the feature has this key' }]
    : [];
}

/** An amount is a quantity: what a check adds and compares. */
export function checkAmount(pointer: string, text: string): Violation[] {
  const amount = parsePlainDecimal(text);
  if (amount === 'value_not_a_number')
    return [{ pointer, code: 'invalid_amount', message: 'is a decimal such as "1000" or "0.5"' }];
  if (amount === 'value_out_of_range')
    return [{ pointer, code: 'amount_out_of_range', message: 'has at most 20 digits and 18 decimals' }];
  return compare(amount, 0) < 0
    ? [{ pointer, code: 'negative_amount', message: 'must not be negative' }]
    : [];
}

function checkOverage(pointer: string, overage: Overage, aggregation: Aggregation): Violation[] {
  if (!OVERAGES.includes(overage))
    return [{ pointer, code: 'unknown_overage', message: `is one of ${OVERAGES.join(', ')}` }];
  if (overage !== 'hard' || isLimitable(aggregation)) return [];
  const message = `a hard limit needs a meter that counts or sums, and this one's aggregation is ${aggregation}`;
  return [{ pointer, code: 'aggregation_not_limitable', message }];
}

function checkPeriod(pointer: string, period: LimitPeriod): Violation[] {
  if ('rolling' in period) return checkRolling(`${pointer}/rolling`, period.rolling);
  const { every, anchor, timezone } = period;
  return [
    ...checkEvery(`${pointer}/every`, every, anchor),
    ...(anchor === undefined || Number.isSafeInteger(anchor)
      ? []
      : [
          {
            pointer: `${pointer}/anchor`,
            code: 'invalid_anchor',
            message: 'must lie between the years 1685 and 2255',
          },
        ]),
    ...(timezone === undefined || isTimeZone(timezone)
      ? []
      : [
          {
            pointer: `${pointer}/timezone`,
            code: 'unknown_time_zone',
            message: 'is an IANA time zone, such as Europe/Berlin',
          },
        ]),
  ];
}

function checkRolling(pointer: string, text: string): Violation[] {
  const length = parseLength(text);
  if (length === undefined || length.months > 0)
    return [
      { pointer, code: 'invalid_duration', message: 'is minutes, hours, days or a week, such as PT5H' },
    ];
  return elapsedMinutes(length) * MICROS_PER_MINUTE > ROLLING_WINDOW_MICROS_MAX
    ? [{ pointer, code: 'window_too_long', message: 'a rolling window has at most 7 days' }]
    : [];
}

function checkEvery(pointer: string, text: string, anchor: Instant | undefined): Violation[] {
  const length = parseLength(text);
  if (length === undefined)
    return [
      { pointer, code: 'invalid_duration', message: 'is a duration of one unit, such as P1M, P1W or PT15M' },
    ];
  if (isLongerThanYear(length))
    return [{ pointer, code: 'period_too_long', message: 'a period has at most a year' }];
  if (anchor !== undefined || !needsAnchor(length)) return [];
  const message = 'divides no calendar day or year: give an anchor that it is counted from';
  return [{ pointer, code: 'anchor_required', message }];
}
