import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Transaction } from '#infra/database/database.ts';
import { versionsOnMeter } from '#infra/subscriptions/versions-on-meter.ts';
import { existingRows, type ChangeMeter } from './activate-meter.ts';
import { CatalogueError } from './errors.ts';
import { readCatalogueRow, versionOf, type MeterVersionRow } from './load-catalogue.ts';
import { catalogue, feature, meterVersion } from './tables.ts';

/**
 * Stops counting: no version of the meter is written from the new catalogue version on. The active one stays readable with all it has
 * counted. Archiving again changes nothing. Throws `CatalogueError`: `meter_not_found`, and `meter_in_use` while a feature lives on it,
 * whose limits would then count nothing any more, or a version of a plan that is active or that a subscription is on: it would be had for nothing.
 */
export async function archiveMeter(
  tx: Transaction,
  { namespace, key, now }: ChangeMeter,
): Promise<MeterVersion[]> {
  const [row, rows] = await Promise.all([
    readCatalogueRow(tx, namespace),
    existingRows(tx, { namespace, key }),
    checkUnused(tx, { namespace, key, now }),
  ]);
  if (rows.every(({ until }) => until !== null)) return rows.map(versionOf);
  const version = row.version + 1;
  tx.upsert(catalogue, { ...row, version });
  const after = rows.map((each) => (each.until === null ? stopped(each, version) : each));
  for (const each of after) if (each.until === version) tx.upsert(meterVersion, each);
  return after.map(versionOf);
}

const stopped = (row: MeterVersionRow, version: number): MeterVersionRow =>
  row.state === 'active'
    ? { ...row, until: version }
    : { ...row, until: version, state: 'ended', stateSince: version };

async function checkUnused(tx: Transaction, { namespace, key, now }: ChangeMeter): Promise<void> {
  const range = { prefix: [namespace, key, null] };
  const [user] = await Array.fromAsync(tx.scan(feature, range, { index: 'byMeter', limit: 1 }));
  if (user !== undefined)
    throw new CatalogueError(
      'meter_in_use',
      `the feature ${user.key} is measured by ${key}: archive it first`,
    );
  for await (const { plan, version, state } of versionsOnMeter(tx, { namespace, meter: key, now })) {
    const mend = state === 'active' ? 'archive it first' : 'move the subscriptions that are on it first';
    throw new CatalogueError(
      'meter_in_use',
      `version ${version} of the plan ${plan} prices usage of ${key}: ${mend}`,
    );
  }
}
