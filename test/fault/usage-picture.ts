import { MICROS_PER_DAY } from '#domain/instant.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { usageDay, usageHour } from '#infra/usage/tables.ts';
import { NAMESPACE } from '#test/support/local-stores.ts';
import { REFERENCE_METERS } from '#test/support/reference-meters.ts';
import { PLANNED_SUBJECTS, type Plan } from '#test/support/reference-plan.ts';

const FINGERPRINTS = 1n << 128n;

/**
 * All usage of a plan as it can be read: totals by hour, day and group, and the fingerprint of every cell, added up over the slots of its
 * writers; those of days up to a day that has been rolled. Two databases that were filled by other writers, in another order, have the same.
 */
export async function pictureOf(
  database: Database,
  plan: Plan,
  rolled: number,
): Promise<Map<string, string | null>> {
  return new Map([...(await totalsOf(database, plan)), ...(await fingerprintsOf(database, rolled))]);
}

/** The last day that has been rolled, which happens now and then beside the commits: two databases with the same events may differ in it. */
export async function lastRolledDay(database: Database): Promise<number> {
  return (await readCatalogueRow(database, NAMESPACE)).rolledThrough;
}

async function totalsOf(database: Database, { from, to }: Plan): Promise<Map<string, string | null>> {
  const totals = new Map<string, string | null>();
  const range = {
    from: Math.floor(from / MICROS_PER_DAY) * MICROS_PER_DAY,
    to: Math.ceil(to / MICROS_PER_DAY) * MICROS_PER_DAY,
  };
  for (const [meter, { dimensions = {} }] of Object.entries(REFERENCE_METERS))
    for (const window of ['hour', 'day', 'none'] as const) {
      const groupBy = window === 'hour' ? [] : Object.keys(dimensions);
      const asked = { namespace: NAMESPACE, meter, subjects: PLANNED_SUBJECTS, timezone: 'UTC', ...range };
      const { rows } = await readUsage(database, { ...asked, window, groupBy });
      for (const { value, ...cell } of rows) totals.set(JSON.stringify([meter, window, cell]), value);
    }
  return totals;
}

async function fingerprintsOf(database: Database, rolled: number): Promise<Map<string, string>> {
  const sums = new Map<string, bigint>();
  const add = (name: string, fingerprint: string): void =>
    void sums.set(name, ((sums.get(name) ?? 0n) + BigInt(`0x${toHex(fingerprint)}`)) % FINGERPRINTS);
  for await (const row of database.scan(usageHour, { prefix: [NAMESPACE] }))
    add(
      JSON.stringify(['hour', row.meter, row.generation, row.subject, row.view, row.hour, row.group]),
      row.fingerprint,
    );
  for await (const row of database.scan(usageDay, { prefix: [NAMESPACE] }))
    if (row.day <= rolled)
      add(
        JSON.stringify(['day', row.meter, row.generation, row.subject, row.view, row.day, row.group]),
        row.fingerprint,
      );
  return new Map([...sums].map(([name, sum]) => [name, sum.toString(16)]));
}
