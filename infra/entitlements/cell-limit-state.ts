import type { LimitState } from '#domain/entitlements/entitlement.ts';
import { amountOf, compilePeriod, isLimitable } from '#domain/entitlements/limit.ts';
import { periodAt } from '#domain/calendar/period.ts';
import {
  changeRolling,
  emptyRolling,
  firstStepAt,
  stepOf,
  stepStart,
  usedInWindow,
  type RollingWindow,
  type StepChange,
} from '#domain/entitlements/rolling.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import { floorToMinute, MICROS_PER_HOUR, type Instant } from '#domain/instant.ts';
import { add, fromDecimalString, subtract, type Quantity } from '#domain/metering/quantity.ts';
import { usageQuery } from '#domain/usage/usage-query.ts';
import { usageRows } from '#domain/usage/usage-rows.ts';
import type { Reads } from '#infra/database/database.ts';
import { loadUsage, type AskedSubject } from '#infra/usage/load-usage.ts';
import { stretchesWithin, usedByMinute, usedWithin, type CustomerUsage } from './customer-usage.ts';
import { rollingPeriod, roomAt } from './limit-state.ts';
import type { StoredLimit } from './tables.ts';

/** No event is later than this: events may be five minutes ahead of their publishing, and clocks differ. */
const AHEAD_MICROS = MICROS_PER_HOUR;

/**
 * A soft or metered limit: nobody writes rows for those, so what is used is read from the total cells of everything the customer owns.
 * Nothing is held in them. The work grows with the subjects and the days of the period, and never with the events.
 */
export async function cellLimitState(
  from: Reads,
  usage: CustomerUsage,
  { limit, now, asked }: { limit: StoredLimit; now: Instant; asked: Quantity | undefined },
): Promise<LimitState> {
  const { key, overage } = limit;
  const common = { key, overage, amount: amountOf(limit.amount), held: 0 };
  const compiled = compilePeriod(limit.period);
  // Beyond lies only time without events, and looking there costs as much as anywhere.
  const latest = floorToMinute(now) + AHEAD_MICROS;
  if (compiled.kind === 'every') {
    const period = periodAt(compiled.rule, now);
    const used = await usedIn(from, usage, { ...period, to: Math.min(period.to, latest) });
    return { ...common, used, period, resetsAt: period.to };
  }
  const { window } = compiled;
  const period = rollingPeriod(window, now);
  if (!isLimitable(usage.meter.definition.aggregation)) {
    const used = await usedIn(from, usage, { from: period.from, to: latest });
    return { ...common, used, period, resetsAt: null };
  }
  const rolled = await rollingState(from, usage, { window, now, room: subtract(common.amount, asked ?? 0) });
  return { ...common, ...rolled, period };
}

async function rollingState(
  from: Reads,
  usage: CustomerUsage,
  { window, now, room }: { window: RollingWindow; now: Instant; room: Quantity },
): Promise<Pick<LimitState, 'used' | 'resetsAt'>> {
  const first = firstStepAt(window, now);
  const { generation } = usage.meter;
  const changes: StepChange[] = [];
  for await (const [at, quantity] of usedByMinute(from, usage, stepStart(window, first)))
    changes.push({ generation, step: stepOf(window, at), quantity });
  const steps = changeRolling(emptyRolling(first), changes, first);
  const used = usedInWindow(steps, generation, first);
  return { used, resetsAt: roomAt(window, steps, { generation, now, missing: subtract(used, room) }) };
}

/** Counts and sums add up cell by cell; for the other aggregations the customer's usage is asked for as everywhere else. */
async function usedIn(from: Reads, usage: CustomerUsage, period: TimeWindow): Promise<Quantity | null> {
  const { aggregation } = usage.meter.definition;
  if (isLimitable(aggregation)) return usedWithin(from, usage, period);
  const { namespace, meter, rolledThrough } = usage;
  const query = usageQuery({ aggregation, ...period, window: 'none', timezone: 'UTC', rolledThrough });
  const subjects = askedSubjects(usage, period);
  let used: Quantity | null = null;
  for (const { value } of usageRows(query, await loadUsage({ from, namespace, meter, subjects }, query)))
    used = value === null ? used : add(used ?? 0, fromDecimalString(value));
  return used;
}

function askedSubjects({ subjects }: CustomerUsage, period: TimeWindow): AskedSubject[] {
  const spans = Map.groupBy(stretchesWithin(subjects, period), ({ subject }) => subject);
  return Array.from(spans, ([subject, stretches]) => {
    const [only] = stretches;
    const whole = stretches.length === 1 && only?.from === period.from && only.to === period.to;
    return whole ? subject : { subject, spans: stretches.map(({ from, to }) => ({ from, to })) };
  });
}
