import type { LimitState } from '#domain/entitlements/entitlement.ts';
import { amountOf } from '#domain/entitlements/limit.ts';
import {
  firstStepAt,
  leavesAt,
  stepsFrom,
  stepStart,
  type RollingUsage,
  type RollingWindow,
} from '#domain/entitlements/rolling.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import { floorToMinute, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import { compare, subtract, type Quantity } from '#domain/metering/quantity.ts';
import { usedOf, roomOf, type OpenLimitRow } from './limit-rows.ts';

export interface AskedOfLimit {
  /** The generation of the meter that readers are on. */
  readonly generation: number;
  readonly now: Instant;
  readonly asked: Quantity | undefined;
}

/** A hard limit as its row shows it. */
export function limitStateOf(row: OpenLimitRow, { generation, now, asked }: AskedOfLimit): LimitState {
  const { limit, period } = row.place.hard;
  const common = {
    key: limit.key,
    overage: limit.overage,
    amount: amountOf(limit.amount),
    used: usedOf(row, generation, now),
    held: row.held,
  };
  if (period.kind === 'rolling' && row.rolling !== undefined) {
    const resetsAt = roomAt(period.window, row.rolling, {
      generation,
      now,
      missing: subtract(asked ?? 0, roomOf(row, generation, now)),
    });
    return { ...common, period: rollingPeriod(period.window, now), resetsAt };
  }
  const { periodStart, periodEnd } = row.place;
  return { ...common, period: { from: periodStart, to: periodEnd ?? periodStart }, resetsAt: periodEnd };
}

/** From the start of the window's first step to the end of the present minute. */
export const rollingPeriod = (window: RollingWindow, now: Instant): TimeWindow => ({
  from: stepStart(window, firstStepAt(window, now)),
  to: floorToMinute(now) + MICROS_PER_MINUTE,
});

/**
 * When enough usage has left the window for `missing` to fit; where nothing is missing, when the first usage leaves. Null when all of it
 * leaving would not do, or there is none.
 */
export function roomAt(
  window: RollingWindow,
  usage: RollingUsage,
  { generation, now, missing }: { generation: number; now: Instant; missing: Quantity },
): Instant | null {
  let left = missing;
  for (const [step, quantity] of stepsFrom(usage, generation, firstStepAt(window, now))) {
    left = subtract(left, quantity);
    if (compare(left, 0) <= 0) return leavesAt(window, step);
  }
  return null;
}
