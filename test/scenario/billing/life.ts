import type { AnchorChoice } from '#domain/calendar/anchor.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import { RuleError } from '#infra/rule-error.ts';
import { discardDraft, isParked, releaseInvoice, voidInvoice } from '#infra/invoicing/change-invoice.ts';
import { changeSubscription, type ChangeRequest } from '#infra/subscriptions/change-subscription.ts';
import { createSubscription, type SubscriptionRequest } from '#infra/subscriptions/create-subscription.ts';
import { migrateSubscriptions } from '#infra/subscriptions/migrate-subscriptions.ts';
import type { StoredSubscription } from '#infra/subscriptions/read-subscriptions.ts';
import { NAMESPACE } from '#test/infra/usage/usage-fixture.ts';
import { PLANS, priceIn, versionsOf } from './plans.ts';
import { invoiceRows, subscriptionsOf, transact, type Citizen, type Town } from './town.ts';
import { METER_KEYS, type Used } from './usage-log.ts';
import { firstMinuteAt, localOf } from './zoned-periods.ts';

/** What people of a town do. Each answers whether it was done: much of what anybody wants is refused, and rightly so. */

const ANCHORS: readonly AnchorChoice[] = [
  'start',
  'calendar',
  { day: 28 },
  { day: 29 },
  { day: 30 },
  { day: 31 },
];

/** Subscribes to something, from now on, from earlier or from later. */
export async function subscribe(town: Town, { key, currency }: Citizen): Promise<boolean> {
  const { draw, clock, newId } = town;
  const { plan, version } = draw.pick(PLANS);
  const startAt = draw.pick([
    clock.now,
    clock.now,
    clock.now - draw.below(80) * MICROS_PER_DAY - draw.below(1_440) * MICROS_PER_MINUTE,
    clock.now + draw.below(20) * MICROS_PER_DAY,
  ]);
  const request: SubscriptionRequest = {
    plan,
    version,
    startAt,
    currency,
    anchor: draw.pick(ANCHORS),
    ...(draw.chance(0.2) ? { spendThreshold: draw.pick(['5', '2000', '0.9']) } : {}),
    ...(draw.chance(0.3) ? { addOns: { support: String(1 + draw.below(2)) } } : {}),
    ...(draw.chance(0.2) ? { endAt: startAt + (20 + draw.below(90)) * MICROS_PER_DAY } : {}),
  };
  const id = newId();
  return allowed(() =>
    transact(town, (tx) =>
      createSubscription(tx, { namespace: NAMESPACE, customer: key, id, request, now: clock.now }),
    ),
  );
}

async function allowed(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof RuleError) return false;
    throw error;
  }
}

/** Changes its mind about one subscription. */
export async function change(town: Town): Promise<boolean> {
  const { draw, clock } = town;
  const all = subscriptionsOf(town);
  if (all.length === 0) return false;
  const subscription = draw.pick(all);
  const request = drawChange(town, subscription);
  return allowed(() =>
    transact(town, (tx) =>
      changeSubscription(tx, { namespace: NAMESPACE, id: subscription.id, change: request, now: clock.now }),
    ),
  );
}

function drawChange({ draw, clock }: Town, subscription: StoredSubscription): ChangeRequest {
  const { now } = clock;
  const minutes = MICROS_PER_MINUTE * draw.below(1_440);
  const past = now - draw.below(45) * MICROS_PER_DAY - minutes;
  const later = now + draw.below(40) * MICROS_PER_DAY + minutes;
  const at = draw.pick(['now', 'now', 'periodEnd', past, later] as const);
  const kind = draw.pick([...KINDS]);
  switch (kind) {
    case 'plan': {
      const { plan, version } = draw.pick(PLANS);
      const phases = draw.pick([undefined, undefined, 'restart'] as const);
      return {
        kind: 'change',
        at,
        plan,
        version,
        ...(phases === undefined ? {} : { phases }),
        ...nothingKept(subscription),
      };
    }
    case 'version': {
      const { plan, version } = draw.pick(versionsOf(subscription.terms.at(-1)?.plan ?? ''));
      return { kind: 'change', at, plan, version };
    }
    case 'seats':
      return { kind: 'change', at, quantities: { seats: draw.pick([null, '1', '2.5', '7', '12']) } };
    case 'addOn':
      return { kind: 'change', at, addOns: { support: draw.pick([null, '1', '2', '3']) } };
    case 'override':
      return { kind: 'change', at, overrides: drawOverride(draw, subscription.currency) };
    case 'anchor':
      return { kind: 'change', at, anchor: draw.pick([...ANCHORS, past - (past % MICROS_PER_MINUTE)]) };
    case 'pause':
      return { kind: 'pause', at, ...(draw.chance(2 / 3) ? { until: later + 3 * MICROS_PER_DAY } : {}) };
    case 'resume':
      return { kind: 'resume', at };
    case 'cancel':
      return { kind: 'cancel', at };
    case 'uncancel':
      return { kind: 'uncancel' };
    case 'undo':
      return {
        kind: 'undo',
        from: draw.pick([subscription.endAt ?? 0, subscription.terms.at(-1)?.from ?? 0]),
      };
  }
}

const KINDS = [
  'plan',
  'plan',
  'version',
  'version',
  'seats',
  'seats',
  'addOn',
  'override',
  'anchor',
  'pause',
  'resume',
  'resume',
  'cancel',
  'uncancel',
  'uncancel',
  'undo',
] as const;

/** What was chosen of one plan may not be there in another. */
const nothingKept = ({ terms }: StoredSubscription) => ({
  quantities: emptied(terms.flatMap(({ quantities }) => Object.keys(quantities))),
  overrides: emptied(terms.flatMap(({ overrides }) => Object.keys(overrides))),
  addOns: emptied(terms.flatMap(({ addOns }) => Object.keys(addOns))),
});
const emptied = (names: readonly string[]): Record<string, null> =>
  Object.fromEntries(names.map((name) => [name, null]));

function drawOverride(draw: Town['draw'], currency: string) {
  const price = priceIn({ model: 'flat', amount: '7.7' }, currency);
  return draw.pick([
    { base: { discount: { percent: '33.3' } } },
    { base: { price } },
    { base: null },
    { tokens: { discount: { percent: '50' } } },
    { calls: { quantity: { free: '3' } } },
  ]);
}

/** Moves everybody from one version of a plan to another. */
export async function migrate(town: Town): Promise<boolean> {
  const { draw, clock } = town;
  const plan = draw.pick(['basic', 'pro', 'ramp']);
  const [from, version] = draw.pick([
    [1, 2],
    [2, 1],
  ] as const);
  const at = draw.pick(['now', 'periodEnd'] as const);
  const migration = { namespace: NAMESPACE, plan, from, version, at, now: clock.now };
  return allowed(() => transact(town, (tx) => migrateSubscriptions(tx, migration)));
}

/** Looks at what was parked: lets it pass, or has it computed again with the next run. */
export async function decide(town: Town, everything: boolean): Promise<void> {
  const { draw, clock } = town;
  for (const { id } of invoiceRows(town).filter(isParked)) {
    const place = { namespace: NAMESPACE, id, now: clock.now };
    const [release, discard] = [everything || draw.chance(0.5), draw.chance(0.3)];
    if (release) await transact(town, (tx) => releaseInvoice(tx, place));
    else if (discard) await transact(town, (tx) => discardDraft(tx, place));
  }
}

/** Makes an invoice void that was wrong in some way that nobody here knows. */
export async function voidOne(town: Town): Promise<boolean> {
  const { draw, clock } = town;
  const rows = invoiceRows(town).filter(({ state }) => state === 'issued');
  if (rows.length === 0) return false;
  const { id } = draw.pick(rows);
  await transact(town, (tx) => voidInvoice(tx, { namespace: NAMESPACE, id, now: clock.now }));
  return true;
}

/** Uses things between two moments: at any time, and where days and months of the customer's calendar begin. */
export function drawUsage({ draw, customers, newId }: Town, from: Instant, to: Instant): Used[] {
  return customers.flatMap((citizen) => {
    const count = draw.below(5);
    return Array.from({ length: count }, (): Used => {
      const time = Math.min(Math.max(drawTime(draw, citizen, from, to), from), to - 1);
      return {
        id: newId(),
        customer: citizen.key,
        subject: draw.pick(citizen.subjects),
        time,
        meter: draw.pick(METER_KEYS),
        value: draw.pick(['1', '2', '2.5', '7', '19', '33.333', '60']),
        model: draw.pick(['small', 'large', 'other']),
      };
    });
  });
}

function drawTime(draw: Town['draw'], { zone }: Citizen, from: Instant, to: Instant): Instant {
  const time = from + draw.below(to - from);
  if (draw.chance(0.7)) return time;
  const midnight = firstMinuteAt(
    localOf(time, zone).with({ hour: 0, minute: 0, second: 0, millisecond: 0, microsecond: 0 }),
    zone,
  );
  return midnight * MICROS_PER_MINUTE + draw.pick([-1, 0, 1, MICROS_PER_HOUR]);
}

/** Whoever paused goes on, and nothing is planned any more. */
export async function resumeAll(town: Town): Promise<void> {
  const { now } = town.clock;
  for (const { id, terms, endAt } of subscriptionsOf(town)) {
    const ask = (request: ChangeRequest): Promise<boolean> =>
      allowed(() =>
        transact(town, (tx) => changeSubscription(tx, { namespace: NAMESPACE, id, change: request, now })),
      );
    for (const { from } of terms.filter((each) => each.from > now)) await ask({ kind: 'undo', from });
    if (endAt !== null && endAt > now) await ask({ kind: 'uncancel' });
    await ask({ kind: 'resume', at: 'now' });
  }
}

export async function cancelAll(town: Town): Promise<void> {
  const { now } = town.clock;
  for (const { id } of subscriptionsOf(town))
    await allowed(() =>
      transact(town, (tx) =>
        changeSubscription(tx, { namespace: NAMESPACE, id, change: { kind: 'cancel', at: 'now' }, now }),
      ),
    );
}
