import type { Instant } from '#domain/instant.ts';
import type { MeterState, MeterVersion } from '#domain/metering/meter.ts';
import type { Violation } from '#domain/violation.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { checkActivation } from '#infra/entitlements/check-activation.ts';
import { unservedBy } from '#infra/plans/publish-version.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { versionsOnMeter } from '#infra/subscriptions/versions-on-meter.ts';
import { CatalogueError } from './errors.ts';
import { readCatalogueRow, readMeterRows, versionOf, type MeterVersionRow } from './load-catalogue.ts';
import { catalogue, meterVersion, retiredVersion } from './tables.ts';

export interface MeterPlace {
  readonly namespace: string;
  readonly key: string;
}

export interface ChangeMeter extends MeterPlace {
  readonly now: Instant;
}

/**
 * Switches a meter's readers to another of its versions. The version before is `retired`: still written, so that it can be switched back.
 * One that is active already stays so. Throws `CatalogueError`: `meter_not_found`, `meter_version_not_found`, `meter_version_ended`,
 * `prices_not_served` with all that plans price and it cannot tell; and `EntitlementError` `aggregation_not_limitable` where hard limits stand
 * on the meter.
 */
export async function activateMeter(
  tx: Transaction,
  { namespace, key, version, now }: ChangeMeter & { readonly version: number },
): Promise<MeterVersion> {
  const rows = await existingRows(tx, { namespace, key });
  const chosen = rows.find((row) => row.version === version);
  if (chosen === undefined)
    throw new CatalogueError('meter_version_not_found', `the meter ${key} has no version ${version}`);
  return activate(tx, { rows, chosen, now });
}

/**
 * Switches readers back to the version that was active before the one that is now; doing it twice changes nothing. Throws
 * `CatalogueError`: `meter_not_found`, `no_earlier_version`, `prices_not_served`; and `EntitlementError` as `activateMeter` does.
 */
export async function revertMeter(
  tx: Transaction,
  { namespace, key, now }: ChangeMeter,
): Promise<MeterVersion> {
  const rows = await existingRows(tx, { namespace, key });
  const [latest] = rows
    .filter(({ state }) => state === 'retired')
    .sort((a, b) => b.stateSince - a.stateSince);
  if (latest === undefined)
    throw new CatalogueError(
      'no_earlier_version',
      `no version of ${key} was active before and is still written`,
    );
  return activate(tx, { rows, chosen: latest, now });
}

interface Switch {
  /** All versions of the meter. */
  readonly rows: readonly MeterVersionRow[];
  readonly chosen: MeterVersionRow;
  readonly now: Instant;
}

async function activate(tx: Transaction, { rows, chosen, now }: Switch): Promise<MeterVersion> {
  if (chosen.state === 'active') return versionOf(chosen);
  const { namespace, key } = chosen;
  if (chosen.state === 'ended')
    throw new CatalogueError(
      'meter_version_ended',
      `version ${chosen.version} of ${key} has ended: it is not written any more`,
    );
  await checkActivation(tx, { namespace, meter: key, aggregation: chosen.definition.aggregation });
  await checkPrices(tx, namespace, versionOf(chosen), now);
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
    if (each.state === 'active') {
      const { state } = setState(each, each.until === null ? 'retired' : 'ended');
      if (state === 'retired') noteRetired(tx, each, version);
    }
  tx.delete(retiredVersion, [namespace, key, chosen.version]);
  return versionOf(setState(chosen, 'active'));
}

const noteRetired = (
  tx: Transaction,
  { namespace, key, version }: MeterVersionRow,
  stateSince: number,
): void => tx.upsert(retiredVersion, { namespace, key, version, stateSince, retiredAt: commitTimestamp });

/** No further version is looked at once so much is found to be wrong. */
const NAMED_MAX = 100;

/** Invoices of what is subscribed could not be computed any more. Prices of single subscriptions are not looked at: there may be any number of them. */
async function checkPrices(
  tx: Transaction,
  namespace: string,
  meter: MeterVersion,
  now: Instant,
): Promise<void> {
  const violations: Violation[] = [];
  for await (const { plan, version, definition } of versionsOnMeter(tx, {
    namespace,
    meter: meter.key,
    now,
  })) {
    if (violations.length >= NAMED_MAX) break;
    for (const { pointer, ...fault } of unservedBy(meter, definition))
      violations.push({ pointer: `/plans/${plan}/versions/${version}${pointer}`, ...fault });
  }
  if (violations.length > 0)
    throw new CatalogueError('prices_not_served', sentenceOf(violations), violations);
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
