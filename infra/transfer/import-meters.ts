import { countsAlike } from '#domain/metering/meter.ts';
import { readCatalogueRow, readMeterRows } from '#infra/catalogue/load-catalogue.ts';
import { catalogue, meterVersion } from '#infra/catalogue/tables.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { TransferError, type MeterLine } from './format.ts';

export interface MeterChanges {
  readonly namespace: string;
  /** Begin to count with this transaction. */
  readonly made: readonly MeterLine[];
  /** Cease to count with it. */
  readonly ended: readonly MeterLine[];
}

/**
 * Changes the meters of a namespace as they changed where they come from, at one catalogue version. What is so already is left alone.
 * Throws `TransferError` where a meter of the same key says something else.
 */
export async function importMeters(tx: Transaction, { namespace, made, ended }: MeterChanges): Promise<void> {
  const [row, rows] = await Promise.all([readCatalogueRow(tx, namespace), readMeterRows(tx, namespace)]);
  const there = new Map(rows.map((each) => [nameOf(each), each]));
  const version = row.version + 1;
  const fresh = made.filter((meter) => {
    const existing = there.get(nameOf(meter));
    if (existing === undefined) return true;
    if (existing.generation === meter.generation && countsAlike(existing.definition, meter.definition))
      return false;
    throw new TransferError(
      `the namespace ${namespace} has another version ${meter.version} of the meter ${meter.key}: import into a namespace of its own`,
    );
  });
  const ceased = ended.filter((meter) => (there.get(nameOf(meter))?.until ?? null) === null);
  if (fresh.length + ceased.length === 0) return;
  tx.upsert(catalogue, { ...row, version });
  for (const { kind: _, ...meter } of fresh)
    tx.insert(meterVersion, {
      namespace,
      ...meter,
      since: version,
      until: null,
      stateSince: version,
      createdAt: commitTimestamp,
    });
  for (const { key, version: each } of ceased)
    tx.update(meterVersion, { namespace, key, version: each, until: version });
}

const nameOf = ({ key, version }: { readonly key: string; readonly version: number }): string =>
  `${key} ${version}`;
