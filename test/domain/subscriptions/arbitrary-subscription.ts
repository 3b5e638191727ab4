import fc from 'fast-check';
import { daysOfCivil } from '#domain/calendar/civil-date.ts';
import { firstInstantAt } from '#domain/calendar/local-time.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import { MICROS_PER_DAY, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import type { PlanCharge, PlanVersion } from '#domain/plans/plan-version.ts';
import type { SubscriptionChange } from '#domain/subscriptions/change.ts';
import { planChange } from '#domain/subscriptions/plan-change.ts';
import { planStart } from '#domain/subscriptions/plan-start.ts';
import { planVersions } from '#domain/subscriptions/plan-versions.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';

/** Zones from UTC-11 to UTC+14, half and quarter hours, and clocks that change at midnight, by half an hour, and in either hemisphere. */
export const ZONES = [
  'Pacific/Pago_Pago',
  'America/St_Johns',
  'America/New_York',
  'America/Santiago',
  'Africa/Cairo',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'UTC',
] as const;

const usage = (key: string, unitPrice: string, more: Partial<PlanCharge> = {}): PlanCharge => ({
  key,
  meter: key,
  price: { model: 'perUnit', unitPrice },
  ...more,
});
const fee = (key: string, amount: string, more: Partial<PlanCharge> = {}): PlanCharge => ({
  key,
  timing: 'inAdvance',
  price: { model: 'flat', amount },
  ...more,
});
const seats = (unitPrice: string): PlanCharge => ({
  key: 'seats',
  timing: 'inAdvance',
  price: { model: 'perUnit', unitPrice },
  seats: '5',
});
/** Of each seat, when it is added. */
const boarding: PlanCharge = {
  key: 'boarding',
  cadence: 'once',
  price: { model: 'perUnit', unitPrice: '30' },
};
const setup = fee('setup', '99', { cadence: 'once', timing: null });

const addOns = [{ key: 'support', charges: [fee('support', '50', { timing: 'inArrears' })] }];
const common = { currencies: ['USD'], state: 'active', addOns } as const;

/** Two versions of a plan, one of the same family, and one of another: with a trial, a ramp, several cadences, prices by date. */
export const VERSIONS: readonly PlanVersion[] = [
  {
    ...common,
    plan: 'pro',
    version: 1,
    phases: [
      {
        key: 'trial',
        duration: 'P14D',
        charges: [usage('tokens', '0')],
        minimum: { amount: { USD: '0' } },
      },
      {
        key: 'ramp',
        duration: 'P2M',
        charges: [usage('tokens', '0.01'), fee('base', '10'), seats('3'), setup],
      },
      {
        key: 'main',
        charges: [usage('tokens', '0.02'), fee('base', '20'), seats('4'), usage('storage', '1'), setup],
      },
    ],
    minimum: { amount: { USD: '100' } },
  },
  {
    ...common,
    plan: 'pro',
    version: 2,
    phases: [
      {
        key: 'main',
        charges: [
          usage('tokens', '0.02', {
            rates: [{ from: '2026-06-10', price: { model: 'perUnit', unitPrice: '0.03' } }],
          }),
          fee('base', '240', { cadence: 'P1Y' }),
          seats('4'),
        ],
      },
    ],
    minimum: { amount: { USD: '150' } },
    maximum: { amount: { USD: '9000' }, cadence: 'P3M' },
  },
  {
    ...common,
    plan: 'max',
    version: 1,
    family: 'pro',
    phases: [{ key: 'main', charges: [usage('tokens', '0.015'), seats('9'), fee('base', '90')] }],
  },
  {
    ...common,
    plan: 'other',
    version: 1,
    phases: [{ key: 'main', charges: [usage('tokens', '0.5'), seats('1'), setup, boarding] }],
  },
];
export const versions = planVersions(VERSIONS);

/** The first moment of a local date, some minutes later. */
const moment = (
  zone: string,
  [year, month, day]: readonly [number, number, number],
  minutes: number,
): Instant =>
  firstInstantAt(timeZone(zone), daysOfCivil(year, month, day) * MICROS_PER_DAY) +
  minutes * MICROS_PER_MINUTE;

const START_DATES = [
  [2026, 1, 28],
  [2026, 1, 29],
  [2026, 1, 30],
  [2026, 1, 31],
  [2026, 3, 31],
  [2028, 2, 29],
  [2025, 12, 31],
  [2026, 10, 3],
] as const;

export const refs = VERSIONS.map(({ plan, version }) => ({ plan, version }));
const SPAN_DAYS = 500;
const minutesAhead = fc.integer({ min: 0, max: SPAN_DAYS * 1_440 });

const anchors = fc.constantFrom(
  'start' as const,
  'calendar' as const,
  { day: 28 },
  { day: 29 },
  { day: 30 },
  { day: 31 },
);

/** A change at some minutes after the start. */
const changes = (start: Instant): fc.Arbitrary<SubscriptionChange> => {
  const at = minutesAhead.map((minutes) => start + minutes * MICROS_PER_MINUTE);
  const choice = fc.constantFrom('0', '3', '7');
  return fc.oneof(
    fc.record({ kind: fc.constant('change' as const), at, to: fc.constantFrom(...refs) }),
    fc.record({ kind: fc.constant('change' as const), at, quantities: fc.record({ seats: choice }) }),
    fc.record({ kind: fc.constant('change' as const), at, addOns: fc.record({ support: choice }) }),
    fc.record({ kind: fc.constant('change' as const), at, anchor: anchors }),
    fc.record({
      kind: fc.constant('change' as const),
      at,
      overrides: fc.constantFrom(
        { tokens: { discount: { percent: '10' } } },
        { tokens: { price: { model: 'perUnit' as const, unitPrice: '7' } } },
        { tokens: null },
      ),
    }),
    fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const, 'cancel' as const), at }),
    fc.constant({ kind: 'uncancel' as const }),
  );
};

export interface Story {
  readonly start: Instant;
  readonly first: Subscription;
  readonly changes: readonly SubscriptionChange[];
}

/** A subscription and changes to make to it, one after the other; some are impossible where they come. */
export const stories: fc.Arbitrary<Story> = fc
  .record({
    zone: fc.constantFrom(...ZONES),
    date: fc.constantFrom(...START_DATES),
    minutes: fc.constantFrom(0, 0, 1, 719, 1_439),
    anchor: anchors,
    ref: fc.constantFrom(...refs),
  })
  .chain(({ zone, date, minutes, anchor, ref }) => {
    const start = moment(zone, date, minutes);
    return fc.array(changes(start), { maxLength: 6 }).map((list) => ({
      start,
      first: begin({ zone, start, anchor, ref }),
      changes: list,
    }));
  });

export interface Beginning {
  readonly zone: string;
  readonly start: Instant;
  readonly anchor?: Subscription['terms'][0]['anchor'];
  readonly ref?: { readonly plan: string; readonly version: number };
  readonly endAt?: Instant;
}

/** A subscription that starts, with nothing chosen. */
export function begin({
  zone,
  start,
  anchor = 'start',
  ref = { plan: 'pro', version: 1 },
  endAt,
}: Beginning): Subscription {
  const planned = planStart(
    {
      id: '0190aaaa-0000-7000-8000-000000000001',
      customer: 'acme',
      currency: 'USD',
      timezone: zone,
      alignment: 'own',
      seller: 'default',
      spendThreshold: null,
      startAt: start,
      endAt: endAt ?? null,
      ...ref,
      anchor,
      quantities: {},
      overrides: {},
      addOns: {},
    },
    { versions, now: start },
  );
  if ('faults' in planned) throw new Error(JSON.stringify(planned.faults));
  return planned.subscription;
}

/** The subscription after a change as of its start, or as it was where the change is impossible. */
export function after(subscription: Subscription, change: SubscriptionChange): Subscription {
  const planned = planChange(subscription, change, { versions, now: subscription.startAt });
  return 'faults' in planned ? subscription : planned.subscription;
}

export const told = ({ first, changes: list }: Story): Subscription => list.reduce(after, first);
export const UNTIL_DAYS = SPAN_DAYS + 100;
