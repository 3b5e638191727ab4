import type { Instant } from '#domain/instant.ts';
import { add, negate, type Quantity } from '#domain/metering/quantity.ts';
import type { Database } from '#infra/database/database.ts';
import { readActiveGenerations, generationName } from '#infra/entitlements/active-generations.ts';
import { touchedLimits } from '#infra/entitlements/apply-usage.ts';
import type { LimitPlace } from '#infra/entitlements/hard-limits.ts';
import { readHolds } from '#infra/entitlements/hold-rows.ts';
import { openLimitRows } from '#infra/entitlements/limit-rows.ts';
import { AFFECTED_NAMED_MAX } from './foresee-affected.ts';
import type { EventChange } from './foresee-correction.ts';

/** A hard limit whose use changes. */
export interface ForeseenLimit {
  readonly customer: string;
  readonly feature: string;
  readonly limit: string;
  readonly periodStart: Instant;
  /** Null of a rolling limit, which has no periods. */
  readonly periodEnd: Instant | null;
  /** By how much its use changes, by the generation that counts. */
  readonly change: Quantity;
  /** What is used before; null of a rolling limit, where it depends on the moment. */
  readonly used: Quantity | null;
}

interface Touched {
  readonly place: LimitPlace;
  /** By generation. */
  readonly changes: Map<number, Quantity>;
}

/** Gathers what changes of events do to hard limits, and which reservations they had settled. */
export function createLimitChanges(database: Database) {
  const touched = new Map<string, Touched>();
  let settledReservations = 0;
  return {
    take: async (changes: readonly EventChange[]): Promise<void> => {
      for (const sign of [-1, 1] as const) {
        const copies = changes.filter((each) => each.sign === sign).map(({ copy }) => copy);
        for (const touch of await touchedLimits(database, copies)) {
          const { place, generation, quantity } = touch;
          const known = touched.get(place.name) ?? { place, changes: new Map<number, Quantity>() };
          touched.set(place.name, known);
          const signed = sign === 1 ? quantity : negate(quantity);
          known.changes.set(generation, add(known.changes.get(generation) ?? 0, signed));
        }
      }
      if (touched.size === 0) return;
      const gone = changes.filter(({ sign }) => sign === -1).map(({ copy }) => copy.event.identity);
      const holds = await readHolds(database, gone);
      settledReservations += holds.filter((hold) => hold?.state === 'settled').length;
    },
    end: async (): Promise<{ limits: ForeseenLimit[]; settledReservations: number }> => ({
      limits: await toForeseen(database, [...touched.values()].slice(0, AFFECTED_NAMED_MAX)),
      settledReservations,
    }),
  };
}

async function toForeseen(database: Database, touched: readonly Touched[]): Promise<ForeseenLimit[]> {
  const places = touched.map(({ place }) => place);
  const [rows, active] = await Promise.all([
    openLimitRows(database, places, 0),
    readActiveGenerations(
      database,
      places.map(({ hard }) => hard.of),
    ),
  ]);
  return touched.map(({ place, changes }) => {
    const { of, limit } = place.hard;
    const generation = active.get(generationName(of)) ?? 0;
    const used = rows.get(place.name)?.used.get(generation) ?? 0;
    return {
      customer: of.customer,
      feature: of.feature,
      limit: limit.key,
      periodStart: place.periodStart,
      periodEnd: place.periodEnd,
      change: changes.get(generation) ?? 0,
      used: place.periodEnd === null ? null : used,
    };
  });
}
