import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import { RETIRED_DAYS } from '#domain/limits.ts';
import type { Database } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { readCatalogueRow, readMeterRows, readNamespaces, type MeterVersionRow } from './load-catalogue.ts';
import { catalogue, meterVersion, retiredVersion } from './tables.ts';

/**
 * Ends versions of meters that were switched away from longer ago than they are kept: no event is counted into them any more, and they cannot be
 * switched back to. Their cells stay as they are. One that was retired by an earlier release is kept from now on. Safe to repeat and to run in several
 * processes. Returns the versions that were ended.
 */
export async function endRetiredVersions(database: Database, now: Instant): Promise<number> {
  let ended = 0;
  for (const namespace of await readNamespaces(database))
    for (const row of await readMeterRows(database, namespace))
      if (row.state === 'retired' && (await endRetired(database, row, now))) ended++;
  return ended;
}

async function endRetired(
  database: Database,
  { namespace, key, version }: MeterVersionRow,
  now: Instant,
): Promise<boolean> {
  const { result } = await database.transact(async (tx) => {
    const [row] = (await readMeterRows(tx, namespace, key)).filter((each) => each.version === version);
    if (row?.state !== 'retired') return false;
    const [retired] = await tx.read(retiredVersion, [[namespace, key, version]]);
    if (retired?.stateSince !== row.stateSince) {
      tx.upsert(retiredVersion, {
        namespace,
        key,
        version,
        stateSince: row.stateSince,
        retiredAt: commitTimestamp,
      });
      return false;
    }
    if (retired.retiredAt > now - RETIRED_DAYS * MICROS_PER_DAY) return false;
    const of = await readCatalogueRow(tx, namespace);
    const next = of.version + 1;
    tx.upsert(catalogue, { ...of, version: next });
    tx.upsert(meterVersion, { ...row, state: 'ended', stateSince: next, until: next });
    tx.delete(retiredVersion, [namespace, key, version]);
    return true;
  });
  return result;
}
