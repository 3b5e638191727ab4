import type { MeterState, MeterVersion } from '#domain/metering/meter.ts';
import type { Transaction } from '#infra/database/database.ts';
import { checkActivation } from '#infra/entitlements/check-activation.ts';
import { CatalogueError } from './errors.ts';
import { readCatalogueRow, readMeterRows, versionOf, type MeterVersionRow } from './load-catalogue.ts';
import { catalogue, meterVersion } from './tables.ts';

export interface MeterPlace {
  readonly namespace: string;
  readonly key: string;
}

/**
 * Switches a meter's readers to another of its versions. The version before is `retired`: still written, so that it can be switched back.
 * One that is active already stays so. Throws `CatalogueError`: `meter_not_found`, `meter_version_not_found`, `meter_version_ended`;
 * and `EntitlementError` `aggregation_not_limitable` where hard limits stand on the meter.
 */
export async function activateMeter(
  tx: Transaction,
  { namespace, key, version }: MeterPlace & { readonly version: number },
): Promise<MeterVersion> {
  const rows = await existingRows(tx, { namespace, key });
  const chosen = rows.find((row) => row.version === version);
  if (chosen === undefined)
    throw new CatalogueError('meter_version_not_found', `the meter ${key} has no version ${version}`);
  return activate(tx, rows, chosen);
}

/**
 * Switches readers back to the version that was active before the one that is now; doing it twice changes nothing. Throws
 * `CatalogueError`: `meter_not_found`, `no_earlier_version`.
 */
export async function revertMeter(tx: Transaction, { namespace, key }: MeterPlace): Promise<MeterVersion> {
  const rows = await existingRows(tx, { namespace, key });
  const [latest] = rows
    .filter(({ state }) => state === 'retired')
    .sort((a, b) => b.stateSince - a.stateSince);
  if (latest === undefined)
    throw new CatalogueError(
      'no_earlier_version',
      `no version of ${key} was active before and is still written`,
    );
  return activate(tx, rows, latest);
}

async function activate(
  tx: Transaction,
  rows: readonly MeterVersionRow[],
  chosen: MeterVersionRow,
): Promise<MeterVersion> {
  if (chosen.state === 'active') return versionOf(chosen);
  const { namespace, key } = chosen;
  if (chosen.state === 'ended')
    throw new CatalogueError(
      'meter_version_ended',
      `version ${chosen.version} of ${key} has ended: it is not written any more`,
    );
  await checkActivation(tx, { namespace, meter: key, aggregation: chosen.definition.aggregation });
  const row = await readCatalogueRow(tx, namespace);
  const version = row.version + 1;
  tx.upsert(catalogue, { ...row, version });
  const setState = (of: MeterVersionRow, state: MeterState): MeterVersionRow => {
    const changed = { ...of, state, stateSince: version };
    tx.upsert(meterVersion, changed);
    return changed;
  };
  for (const each of rows)
    // One that is not written any more, of a meter that was archived, would give wrong answers if it were switched back to.
    if (each.state === 'active') setState(each, each.until === null ? 'retired' : 'ended');
  return versionOf(setState(chosen, 'active'));
}

/** The versions of a meter that is there. */
export async function existingRows(
  tx: Transaction,
  { namespace, key }: MeterPlace,
): Promise<MeterVersionRow[]> {
  const rows = await readMeterRows(tx, namespace, key);
  if (rows.length === 0) throw new CatalogueError('meter_not_found', `there is no meter ${key}`);
  return rows;
}
