import { isHeld, type HoldState } from '#domain/entitlements/reservation.ts';
import type { Instant } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { fromDecimalString, negate } from '#domain/metering/quantity.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import type { Row } from '#infra/usage/tables.ts';
import { placesAt, type HardLimit, type LimitPlace } from './hard-limits.ts';
import { addHeld, type OpenLimitRow } from './limit-rows.ts';
import { hold, holdCount } from './tables.ts';

export type Hold = Row<typeof hold>;

export async function readHolds(from: Reads, identities: readonly Hash128[]): Promise<(Hold | undefined)[]> {
  if (identities.length === 0) return [];
  return from.read(
    hold,
    identities.map((identity) => [identity]),
  );
}

export const isHeldRow = ({ state }: Hold): boolean => isHeld(state as HoldState);

/** A customer's use of a feature, as one text. */
export const featureName = (of: { namespace: string; customer: string; feature: string }): string =>
  JSON.stringify([of.namespace, of.customer, of.feature]);

/**
 * The rows that a hold is held in: those of its moment, of the limits its feature has now. They need not be written down with the hold,
 * since whoever changes the limits puts all holds of the feature on the rows of the new ones.
 */
export const placesOfHold = ({ heldAt }: Hold, limits: readonly HardLimit[]): LimitPlace[] =>
  placesAt(limits, heldAt);

/** Takes a hold off the rows it is held in and gives it the state it ends in. */
export function closeHold(
  tx: Transaction,
  { of, places, rows }: { of: Hold; places: readonly LimitPlace[]; rows: ReadonlyMap<string, OpenLimitRow> },
  state: 'settled' | 'released' | 'lapsed',
  now: Instant,
): void {
  const held = negate(fromDecimalString(of.held));
  for (const { name } of places) {
    const row = rows.get(name);
    if (row !== undefined) addHeld(row, held);
  }
  tx.upsert(hold, { ...of, state, closedAt: now });
}

/** How many holds of each customer and feature are held, to be changed within one transaction. */
export interface HoldCounts {
  /** 0 for what was not read. */
  of(feature: FeatureOfCustomer): number;
  add(feature: FeatureOfCustomer, change: number): void;
  /** Writes the counts that were changed; says how many. */
  write(tx: Transaction): number;
}

export interface FeatureOfCustomer {
  readonly namespace: string;
  readonly customer: string;
  readonly feature: string;
}

export async function readHoldCounts(
  from: Reads,
  features: readonly FeatureOfCustomer[],
): Promise<HoldCounts> {
  const distinct = [...new Map(features.map((each) => [featureName(each), each])).values()];
  const keys = distinct.map(({ namespace, customer, feature }) => [namespace, customer, feature]);
  const rows = keys.length === 0 ? [] : await from.read(holdCount, keys);
  const counts = new Map(distinct.map((each, index) => [featureName(each), rows[index]?.holds ?? 0]));
  const changed = new Map<string, FeatureOfCustomer>();
  return {
    of: (feature) => counts.get(featureName(feature)) ?? 0,
    add: (feature, change) => {
      const name = featureName(feature);
      counts.set(name, (counts.get(name) ?? 0) + change);
      changed.set(name, feature);
    },
    write: (tx) => {
      for (const [name, { namespace, customer, feature }] of changed)
        tx.upsert(holdCount, { namespace, customer, feature, holds: counts.get(name) ?? 0 });
      return changed.size;
    },
  };
}
