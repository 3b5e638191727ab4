import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Database } from '#infra/database/database.ts';
import { readCatalogueRow, readMeterVersions } from './load-catalogue.ts';
import { catalogue, meterVersion } from './tables.ts';

/**
 * Switches a meter's readers to another of its versions, in one transaction. The version before is `retired`: still written, so that it
 * can be switched back. Throws a RangeError for a version that does not exist or has ended.
 */
export async function activateMeter(
  database: Database,
  { namespace, key, version }: { namespace: string; key: string; version: number },
): Promise<void> {
  await database.transact(async (tx) => {
    const [row, versions] = await Promise.all([
      readCatalogueRow(tx, namespace),
      readMeterVersions(tx, namespace, key),
    ]);
    const chosen = versions.find((meter) => meter.version === version);
    if (!chosen || chosen.state === 'ended')
      throw new RangeError(`meter ${key} has no version ${version} that can be activated`);
    const setState = (meter: MeterVersion, state: MeterVersion['state']): void =>
      tx.update(meterVersion, { namespace, key, version: meter.version, state });
    for (const meter of versions)
      if (meter.state === 'active' && meter !== chosen) setState(meter, 'retired');
    setState(chosen, 'active');
    tx.upsert(catalogue, { ...row, version: row.version + 1 });
  });
}
