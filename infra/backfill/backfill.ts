import type { BackfilledDays } from '#domain/metering/counted-as.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import { meterBackfill } from '#infra/catalogue/tables.ts';
import type { Reads } from '#infra/database/database.ts';
import type { Row } from '#infra/usage/tables.ts';
import type { BackfillState } from './tables.ts';

/** Which version of which meter is backfilled. */
export interface BackfillName {
  readonly namespace: string;
  readonly meter: string;
  readonly version: number;
}

export type Backfill = Omit<Row<typeof meterBackfill>, 'state'> & {
  readonly state: BackfillState;
};

/** States in which nobody has anything left to do. */
const ENDED: ReadonlySet<BackfillState> = new Set(['complete', 'different']);
export const isEnded = ({ state }: Backfill): boolean => ENDED.has(state);

/** Undefined where none was asked for. */
export async function readBackfill(
  from: Reads,
  { namespace, meter, version }: BackfillName,
): Promise<Backfill | undefined> {
  const [row] = await from.read(meterBackfill, [[namespace, meter, version]]);
  return row && { ...row, state: row.state as BackfillState };
}

/** Of a meter, of a namespace, or of all of them. */
export const listBackfills = (from: Reads, ...prefix: readonly string[]): Promise<Backfill[]> =>
  Array.fromAsync(from.scan(meterBackfill, { prefix }), (row) => ({
    ...row,
    state: row.state as BackfillState,
  }));

/** Those that somebody has to work on. */
export const openBackfills = async (from: Reads, ...prefix: readonly string[]): Promise<Backfill[]> =>
  (await listBackfills(from, ...prefix)).filter((each) => !isEnded(each));

export const daysOf = ({ firstDay, endDay }: Backfill): BackfilledDays => ({ firstDay, endDay });

/** The version that is backfilled. Throws where there is none any more, which cannot be: a version is never removed. */
export async function backfilledVersion(
  from: Reads,
  { namespace, meter, version }: BackfillName,
): Promise<MeterVersion> {
  const versions = await readMeterVersions(from, namespace, meter);
  const found = versions.find((each) => each.version === version);
  if (found === undefined) throw new Error(`meter ${meter} of ${namespace} has no version ${version}`);
  return found;
}
