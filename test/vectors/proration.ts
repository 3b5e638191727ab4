import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { advance } from '#domain/calendar/advance.ts';
import { billingPeriods } from '#domain/calendar/billing-period.ts';
import { parseDuration, type Duration } from '#domain/calendar/duration.ts';
import { evaluatePeriods } from '#domain/calendar/evaluate-periods.ts';
import { firstInstantAt } from '#domain/calendar/local-time.ts';
import { boundaryAt, periodAt, periodIndexAt, type AnchoredRule } from '#domain/calendar/period.ts';
import type { PeriodsQuestion } from '#domain/calendar/periods-question.ts';
import { daysOf, fractionOf, shareOf, type Proration } from '#domain/calendar/proration.ts';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { segmentsOf } from '#domain/calendar/segment.ts';
import { timeZone, type TimeZone } from '#domain/calendar/time-zone.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Instant } from '#domain/instant.ts';
import { anyCurrency } from '#domain/money/currency.ts';
import { Decimal, toDecimalText } from '#domain/money/decimal.ts';
import {
  addFractions,
  NONE,
  quotientOf,
  roundFraction,
  sumFractions,
  toFraction,
  type Fraction,
} from '#domain/money/fraction.ts';
import { round, type Rounding } from '#domain/money/rounding.ts';
import { proratedLevel, proratedTiers, type LevelTier } from '#domain/pricing/level-changes.ts';
import { prorateAmount } from '#domain/pricing/proration.ts';
import type { Days, Inputs, Recurrence } from './proration-inputs.ts';

/** Periods, proration and prorated quantities as other systems' tests have them, put to the functions that answer such questions here. */

export interface ProrationVector {
  readonly id: string;
  readonly kind: keyof Inputs;
  readonly source: string;
  readonly input: Inputs[keyof Inputs];
  readonly expected: Readonly<Record<string, string>>;
}

export const prorationVectors = JSON.parse(
  readFileSync(new URL('./proration.json', import.meta.url), 'utf8'),
) as ProrationVector[];

/** An exact number, which is compared with as many decimals as a case asserts; or text. */
type Answer = Readonly<Record<string, Fraction | string>>;

const ANSWERS: { readonly [Kind in keyof Inputs]: (input: Inputs[Kind]) => Answer } = {
  cycle_count: (input) => cyclesOf(evaluatePeriods(questionOf(periodsBodyOf(input)))),
  fraction: ({ from, to, period, side, fixed_days_per_month: fixed }) => {
    const part = { from: at(from), to: at(to) };
    const whole =
      side === 'leading'
        ? { from: advance(UTC, part.to, duration(period), -1), to: part.to }
        : { from: part.from, to: advance(UTC, part.from, duration(period), 1) };
    return { fraction: fractionOf(shareOf(part, whole, UTC, byDay(fixed))) };
  },
  fixed_month_days: ({ from, to, fixed_days_per_month: fixed }) => ({
    days: String(daysOf({ from: at(from), to: at(to) }, UTC, byDay(fixed))),
  }),
  amount_duration_ratio: ({ amount, currency, proration_enabled: prorated, ...times }) => {
    const part = { from: at(times.service_from), to: at(times.service_to) };
    const whole = { from: at(times.full_from), to: at(times.full_to) };
    const rule: Proration = { basis: prorated ? 'exact' : 'none', emptyIsFull: true };
    const fraction = fractionOf(shareOf(part, whole, UTC, rule));
    return { amount: payable(currency, prorateAmount(new Decimal(amount), fraction)) };
  },
  amount_inclusive_days: (input) => {
    const exact = prorateAmount(new Decimal(input.amount), billableFraction(input));
    return { amount: payable(input.currency, exact), unrounded_amount: toFraction(exact) };
  },
  unused_credit_inclusive_days: (input) => {
    const zone = zoneOf(input);
    const unused = {
      from: dayAfter(zone, input.terminated_on),
      to: dayAfter(zone, input.period_to_inclusive),
    };
    const whole = wholeOf(zone, at(input.period_from, zone), input.period_days);
    const share = shareOf(unused, whole, zone, byDay(null));
    const credit = prorateAmount(new Decimal(input.amount), fractionOf(share));
    return { unused_days: String(share.part), credit: payable(input.currency, credit) };
  },
  coefficient_inclusive_days: (input) => ({ coefficient: billableFraction(input) }),
  day_count_timezone: ({ from, to, ...input }) => {
    const rule = ruleOf({ ...input, anchor: from, interval: 'P1D' });
    return { days: String(periodIndexAt(rule, at(to, rule.zone)) + 1) };
  },
  period_at: (input) => {
    const rule = ruleOf(input);
    return shown(periodAt(rule, at(input.at, rule.zone)));
  },
  first_period: (input) => {
    const rule = ruleOf(input);
    const [first] = billingPeriods(rule, { start: at(input.start, rule.zone) }).take(1);
    return shown(first!);
  },
  previous_occurrence: ({ boundary, ...input }) => {
    const rule = ruleOf(input);
    const moment = at(input.at, rule.zone);
    const { from } = periodAt(rule, moment);
    const isEarlier = boundary === 'inclusive' || from < moment;
    return { at: formatInstant(isEarlier ? from : periodAt(rule, from - 1).from) };
  },
  advance_periods: ({ start, interval, count }) => ({
    date: formatInstant(boundaryAt(ruleOf({ anchor: start, interval }), Number(count))).slice(0, 10),
  }),
  whole_periods_between: ({ from, to, interval }) => ({
    count: String(periodIndexAt(ruleOf({ anchor: from, interval }), at(to))),
  }),
  add_duration: (input) => {
    const zone = zoneOf(input);
    return { at: formatInstant(advance(zone, at(input.start, zone), duration(input.duration), 1)) };
  },
  prorated_tier_walk: ({ tiers, events, scale, rounding }) => {
    const changes = events.map(({ full, prorated }) => ({
      quantity: new Decimal(full),
      share: quotientOf(new Decimal(prorated), new Decimal(full)),
    }));
    const amount = proratedTiers(tiers.map(tierOf), changes);
    return {
      amount: toDecimalText(
        roundFraction(amount, { decimals: Number(scale), rounding: ROUNDINGS[rounding]! }),
      ),
    };
  },
  prorated_sum: ({ carried_in: carried, period_days: days, events }) => ({
    value: ceiled(
      proratedLevel(
        new Decimal(carried),
        events.map((event) => ({
          quantity: new Decimal(event.value),
          share: ratio(event.remaining_days_inclusive, days),
        })),
      ),
    ),
  }),
  prorated_unique_count: ({ period_days: days, active_days_per_item: items }) => ({
    value: ceiled(
      proratedLevel(
        new Decimal(0),
        items.map((active) => ({ quantity: new Decimal(1), share: ratio(active, days) })),
      ),
    ),
  }),
};

/** The body of `POST /v1/periods/evaluate` that asks for the cycles of a case. */
export const periodsBodyOf = ({
  start,
  end,
  target,
  billing_day: day,
  period_months: months,
}: CycleCount) => ({
  anchor: { day: Number(day) },
  cadence: `P${months}M`,
  start: midnight(start),
  ...(end === null ? {} : { end: midnight(end) }),
  timezone: 'UTC',
  until: midnight(target),
  // Kill Bill counts the period of a leading stub back from its end, and rounds each fraction.
  proration: { basis: 'day', leadingStub: 'countedBack' } as const,
  scale: 9,
});

type CycleCount = Inputs['cycle_count'];

/** What the route makes of its body. */
const questionOf = ({ start, end, until, ...body }: ReturnType<typeof periodsBodyOf>): PeriodsQuestion => ({
  ...body,
  start: at(start),
  end: end === undefined ? undefined : at(end),
  until: at(until),
});

export const cyclesOf = (periods: readonly { readonly fraction: string }[]): Answer => ({
  cycles: sumFractions(periods.map(({ fraction }) => toFraction(new Decimal(fraction)))),
});

/** The part of a period of so many days that is charged: the days of the service without those of the trial. */
function billableFraction(input: Days & Partial<Inputs['amount_inclusive_days']>): Fraction {
  const zone = zoneOf(input);
  const from = at(input.service_from_date, zone);
  const lastDay = at(input.service_to_date_inclusive, zone);
  const to = input.excluded_last_day ? lastDay : dayAfter(zone, input.service_to_date_inclusive);
  const trial = trialOf(zone, input);
  return segmentsOf({ from, to }, [trial.from, trial.to])
    .filter((segment) => segment.from < trial.from || segment.from >= trial.to)
    .map((segment) => fractionOf(shareOf(segment, wholeOf(zone, from, input.period_days), zone, byDay(null))))
    .reduce(addFractions, NONE);
}

function trialOf(zone: TimeZone, input: Days & Partial<Inputs['amount_inclusive_days']>): TimeWindow {
  const from = at(input.trial_start_date ?? input.service_from_date, zone);
  return { from, to: input.trial_days === undefined ? from : wholeOf(zone, from, input.trial_days).to };
}

const wholeOf = (zone: TimeZone, from: Instant, days: string): TimeWindow => ({
  from,
  to: advance(zone, from, { months: 0, days: Number(days), seconds: 0, weeks: false }, 1),
});

const UTC = timeZone('UTC');
const zoneOf = ({ timezone = 'UTC' }: { readonly timezone?: string }): TimeZone => timeZone(timezone);

/** A time, or the first moment of a date. */
function at(text: string, zone: TimeZone = UTC): Instant {
  const time = parseRfc3339(text);
  return time ? time.at : firstInstantAt(zone, parseRfc3339(midnight(text))!.at);
}

const midnight = (date: string): string => `${date}T00:00:00Z`;
const dayAfter = (zone: TimeZone, date: string): Instant => wholeOf(zone, at(date, zone), '1').to;
const duration = (text: string): Duration => parseDuration(text)!;

function ruleOf({ anchor, interval, ...named }: Recurrence): AnchoredRule {
  const zone = zoneOf(named);
  return { every: duration(interval), anchor: at(anchor, zone), zone };
}

const byDay = (fixedDays: string | null): Proration => ({
  basis: 'day',
  ...(fixedDays === null ? {} : { daysPerMonth: Number(fixedDays) }),
});

const shown = ({ from, to }: TimeWindow): Answer => ({ from: formatInstant(from), to: formatInstant(to) });
const payable = (currency: string, amount: Decimal): string =>
  toDecimalText(round(amount, anyCurrency(currency).decimals));
const ratio = (part: string, whole: string): Fraction => quotientOf(new Decimal(part), new Decimal(whole));

/** Lago rounds prorated quantities up to 5 decimals. */
const ceiled = (value: Fraction): string =>
  toDecimalText(roundFraction(value, { decimals: 5, rounding: 'ceiling' }));

const ROUNDINGS: Readonly<Record<string, Rounding>> = { half_up: 'halfUp', ceil: 'ceiling', floor: 'floor' };

const tierOf = ({ up_to: upTo, unit_price: unitPrice, flat_fee: flatFee }: LevelTierInput): LevelTier => ({
  upTo,
  unitPrice,
  flatFee,
});
type LevelTierInput = Inputs['prorated_tier_walk']['tiers'][number];

export function answerOf(vector: ProrationVector): Answer {
  const answer = ANSWERS[vector.kind] as (input: ProrationVector['input']) => Answer;
  return answer(vector.input);
}

/** Doubles, in which some sources assert, are good for so many digits. */
const ASSERTED_DECIMALS_MAX = 15;

/** Judges an answer by everything that the source asserts. */
export function expectProration(vector: ProrationVector, answer: Answer): void {
  const found = Object.entries(vector.expected).map(([name, text]) => {
    const value = answer[name];
    if (value === undefined || typeof value === 'string') return [name, value];
    return [name, rounded(value, Math.min(ASSERTED_DECIMALS_MAX, new Decimal(text).decimalPlaces()))];
  });
  const expected = Object.entries(vector.expected).map(([name, text]) =>
    typeof answer[name] === 'object'
      ? [name, rounded(toFraction(new Decimal(text)), ASSERTED_DECIMALS_MAX)]
      : [name, text],
  );
  expect(Object.fromEntries(found)).to.deep.equal(Object.fromEntries(expected));
}

const rounded = (value: Fraction, decimals: number): string =>
  toDecimalText(roundFraction(value, { decimals, rounding: 'halfUp' }));
