import type { Entitlement } from '#domain/entitlements/entitlement.ts';
import type { Instant } from '#domain/instant.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { feature as featureTable } from '#infra/catalogue/tables.ts';
import { customer as customerTable } from '#infra/customers/tables.ts';
import type { Reads } from '#infra/database/database.ts';
import type { Table } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';
import { activeVersion, generationName, readMeters } from './active-generations.ts';
import { decidingPlace, hardLimitsOf, type CustomerLimits } from './hard-limits.ts';
import { openLimitRows, type OpenLimitRow } from './limit-rows.ts';
import { customerLimits } from './tables.ts';

/** A feature as a customer has it. */
export interface AskedFeature {
  readonly customer: string;
  readonly feature: string;
}

/** What checks of one customer and feature are decided on, as one state of the database has it. */
export interface Grounds {
  readonly feature: Row<typeof featureTable> | undefined;
  readonly owner: Row<typeof customerTable> | undefined;
  readonly limits: CustomerLimits | undefined;
  /** The version of the limits' meter that readers are on. */
  readonly meter: MeterVersion | undefined;
  /** Of the hard limits in their order, each in the period that decides. */
  readonly rows: readonly OpenLimitRow[];
  /** What was decided without an amount, where that holds as long as the periods do. */
  decided: Entitlement | undefined;
}

/** Whether grounds that were read earlier in the same state are those of this moment, too: time goes on where nothing is committed. */
export function holdsAt({ limits, rows }: Grounds, now: Instant): boolean {
  const hard = hardLimitsOf(limits);
  for (let i = 0; i < hard.length; i++) {
    const limit = hard[i];
    if (limit !== undefined && decidingPlace(limit, now) !== rows[i]?.place) return false;
  }
  return true;
}

/** Reads the grounds of these, each of which is named once; in their order, by three round trips however many they are. */
export async function readGrounds(
  from: Reads,
  namespace: string,
  { asked, now }: { readonly asked: readonly AskedFeature[]; readonly now: Instant },
): Promise<Grounds[]> {
  const [features, owners, limits] = await Promise.all([
    readByKey(
      from,
      featureTable,
      asked.map(({ feature }) => [namespace, feature]),
    ),
    readByKey(
      from,
      customerTable,
      asked.map(({ customer }) => [namespace, customer]),
    ),
    from.read(
      customerLimits,
      asked.map(({ customer, feature }) => [namespace, customer, feature]),
    ),
  ]);
  const places = limits.map((of) => hardLimitsOf(of).map((hard) => decidingPlace(hard, now)));
  const rows = await openLimitRows(from, places.flat(), now);
  const meters = await readMeters(
    from,
    limits.filter((of) => of !== undefined),
  );
  return asked.map(({ feature, customer }, index) => {
    const of = limits[index];
    return {
      feature: features.get(feature),
      owner: owners.get(customer),
      limits: of,
      meter: of && activeVersion(meters.get(generationName(of)) ?? []),
      rows: (places[index] ?? []).flatMap(({ name }) => rows.get(name) ?? []),
      decided: undefined,
    };
  });
}

/** Rows of a namespace by the second part of their key: many checks are of one feature, or of one customer. */
async function readByKey<Found extends object>(
  from: Reads,
  table: Table<Found>,
  keys: readonly (readonly [namespace: string, key: string])[],
): Promise<ReadonlyMap<string, Found | undefined>> {
  const distinct = [...new Map(keys.map((each) => [each[1], each])).values()];
  const rows = await from.read(table, distinct);
  return new Map(distinct.map(([, key], index) => [key, rows[index]]));
}
