import { isLimitable } from '#domain/entitlements/limit.ts';
import { changeRolling, emptyRolling, floorAt, stepStart } from '#domain/entitlements/rolling.ts';
import type { DayIndex, Instant } from '#domain/instant.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { OwnedSubject } from '#infra/customers/own-subjects.ts';
import type { Transaction } from '#infra/database/database.ts';
import { usedByMinute, usedWithin, type CustomerUsage } from './customer-usage.ts';
import { decidingPlace, placeAt, type HardLimit, type LimitPlace } from './hard-limits.ts';
import { addUsed, openLimitRows, type OpenLimitRow } from './limit-rows.ts';
import { limitRow } from './tables.ts';

/** What a recount reads from: everything a customer owns, and how the limit's meter has counted it. */
export interface RecountSource {
  readonly subjects: readonly OwnedSubject[];
  /** All versions of the limit's meter. */
  readonly versions: readonly MeterVersion[];
  readonly rolledThrough: DayIndex;
}

/**
 * Sets what is used of a hard limit from the cells: in the period of `now`, in every later one that has usage already, and for every
 * generation of the meter. Earlier periods are over, and nothing is granted in them any more. What is held stays. Returns the open rows,
 * which the caller writes.
 */
export async function recountLimit(
  tx: Transaction,
  hard: HardLimit,
  source: RecountSource,
  now: Instant,
): Promise<OpenLimitRow[]> {
  const usages = source.versions
    .filter(({ definition }) => isLimitable(definition.aggregation))
    .map((meter): CustomerUsage => ({ ...source, namespace: hard.of.namespace, meter }));
  return hard.period.kind === 'rolling'
    ? recountRolling(tx, hard, usages, now)
    : recountPeriods(tx, hard, usages, now);
}

async function recountRolling(
  tx: Transaction,
  hard: HardLimit,
  usages: readonly CustomerUsage[],
  now: Instant,
): Promise<OpenLimitRow[]> {
  const place = decidingPlace(hard, now);
  const [stored] = (await openLimitRows(tx, [place], now)).values();
  if (stored === undefined || hard.period.kind !== 'rolling') return [];
  const floor = floorAt(hard.period.window, now);
  const fresh: OpenLimitRow = { ...stored, rolling: emptyRolling(floor), steps: [], changed: true };
  for (const usage of usages)
    for await (const [at, quantity] of usedByMinute(tx, usage, stepStart(hard.period.window, floor)))
      addUsed(fresh, usage.meter.generation, at, quantity);
  const rolling = changeRolling(emptyRolling(floor), fresh.steps, floor);
  return [{ ...fresh, rolling, steps: [] }];
}

async function recountPeriods(
  tx: Transaction,
  hard: HardLimit,
  usages: readonly CustomerUsage[],
  now: Instant,
): Promise<OpenLimitRow[]> {
  const current = decidingPlace(hard, now);
  const end = current.periodEnd ?? Infinity;
  const later = new Map<string, LimitPlace>();
  const minutes: {
    generation: number;
    at: Instant;
    quantity: Parameters<typeof addUsed>[3];
    name: string;
  }[] = [];
  for (const usage of usages) {
    for await (const [at, quantity] of usedByMinute(tx, usage, end)) {
      const place = placeAt(hard, at);
      if (place === undefined) continue;
      later.set(place.name, place);
      minutes.push({ generation: usage.meter.generation, at, quantity, name: place.name });
    }
  }
  for (const place of await laterPlaces(tx, hard, end)) later.set(place.name, place);
  const rows = await openLimitRows(tx, [current, ...later.values()], now);
  for (const row of rows.values()) {
    row.used.clear();
    row.changed = true;
  }
  const row = rows.get(current.name);
  if (row !== undefined)
    for (const usage of usages)
      addUsed(
        row,
        usage.meter.generation,
        current.periodStart,
        await usedWithin(tx, usage, { from: current.periodStart, to: end }),
      );
  for (const { name, generation, at, quantity } of minutes) {
    const of = rows.get(name);
    if (of !== undefined) addUsed(of, generation, at, quantity);
  }
  return [...rows.values()];
}

/** Later periods that have a row: their usage may have gone to another customer. */
async function laterPlaces(tx: Transaction, hard: HardLimit, from: Instant): Promise<LimitPlace[]> {
  const { namespace, customer, feature } = hard.of;
  const range = { prefix: [namespace, customer, feature, hard.limit.key], from };
  const rows = await Array.fromAsync(tx.scan(limitRow, range));
  return rows
    .filter(({ version }) => version === hard.limit.version)
    .flatMap(({ periodStart }) => placeAt(hard, periodStart) ?? []);
}
