import type { MeterVersion } from '#domain/metering/meter.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Reads } from '#infra/database/database.ts';

export interface MeterOfNamespace {
  readonly namespace: string;
  readonly meter: string;
}

export const generationName = ({ namespace, meter }: MeterOfNamespace): string => `${namespace}\0${meter}`;

/** The version of a meter that readers are on, if it has one. */
export const activeVersion = (versions: readonly MeterVersion[]): MeterVersion | undefined =>
  versions.find(({ state }) => state === 'active');

/** The versions of each meter, by the name of the meter. */
export async function readMeters(
  from: Reads,
  meters: Iterable<MeterOfNamespace>,
): Promise<ReadonlyMap<string, readonly MeterVersion[]>> {
  const distinct = new Map(Array.from(meters, (each) => [generationName(each), each]));
  const read = await Promise.all(
    Array.from(
      distinct,
      async ([name, { namespace, meter }]) =>
        [name, await readMeterVersions(from, namespace, meter)] as const,
    ),
  );
  return new Map(read);
}

/** The generation of each meter that counts. Limit rows keep them all, so that activating another one costs nothing. */
export async function readActiveGenerations(
  from: Reads,
  meters: Iterable<MeterOfNamespace>,
): Promise<ReadonlyMap<string, number>> {
  const versions = await readMeters(from, meters);
  return new Map(
    Array.from(versions, ([name, each]) => [name, activeVersion(each)?.generation ?? 0] as const),
  );
}
