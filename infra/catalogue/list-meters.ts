import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Reads } from '#infra/database/database.ts';
import { readMeterVersions, versionOf } from './load-catalogue.ts';
import { meterVersion } from './tables.ts';
import type { MeterState } from '#domain/metering/meter.ts';

/** A meter with all its versions, the oldest first. */
export interface Meter {
  readonly key: string;
  readonly versions: readonly MeterVersion[];
}

/** The version that answers questions. It may be one of an archived meter, which counts no more. */
export const activeVersionOf = ({ versions }: Meter): MeterVersion | undefined =>
  versions.find(({ state }) => state === 'active');

/** Whether no version counts any more. */
export const isArchived = ({ versions }: Meter): boolean => versions.every(({ until }) => until !== null);

/** One meter; undefined when there is none. */
export async function getMeter(from: Reads, namespace: string, key: string): Promise<Meter | undefined> {
  const versions = await readMeterVersions(from, namespace, key);
  return versions.length === 0 ? undefined : { key, versions };
}

/** Meters by key, archived ones too; `after` is the key of the last one of the page before. */
export async function listMeters(
  from: Reads,
  namespace: string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<Meter[]> {
  const range = { prefix: [namespace], ...(after === undefined ? {} : { from: after }) };
  const meters: { key: string; versions: MeterVersion[] }[] = [];
  for await (const row of from.scan(meterVersion, range)) {
    // The range is closed below, so the versions of `after` itself come first.
    if (row.key === after) continue;
    if (row.key !== meters.at(-1)?.key) {
      if (meters.length === limit) break;
      meters.push({ key: row.key, versions: [] });
    }
    meters.at(-1)?.versions.push(versionOf({ ...row, state: row.state as MeterState }));
  }
  return meters;
}
