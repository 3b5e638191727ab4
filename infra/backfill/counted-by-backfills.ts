import { compileCatalogue, type Catalogue } from '#domain/metering/catalogue.ts';
import { countedAs } from '#domain/metering/counted-as.ts';
import { dayOf } from '#domain/instant.ts';
import type { Copy } from '#domain/metering/batch.ts';
import type { StoredEvent } from '#domain/metering/classify.ts';
import { matchEvent, type Effect } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Reads } from '#infra/database/database.ts';
import { daysOf, listBackfills, type Backfill } from './backfill.ts';
import { isPartDone } from './parts.ts';

/** An event as it was said and stored. */
interface Said {
  readonly event: UsageEvent;
  readonly stored: Pick<StoredEvent, 'catalogueVersion'>;
}

interface Reader {
  readonly backfill: Backfill;
  readonly meter: MeterVersion;
  readonly catalogue: Catalogue;
}

/**
 * What backfills have counted of events, as a transaction finds it: only the effects that stand in cells already. Of the others the part that is
 * still to count them finds the correction on record, and counts accordingly. Events of which no backfill has anything are left out.
 */
export async function countedByBackfills(
  from: Reads,
  namespace: string,
  events: readonly Said[],
): Promise<Copy[]> {
  const readers = await readersOf(from, namespace);
  if (readers.length === 0) return [];
  const copies: Copy[] = [];
  for (const said of events) {
    const effects: Effect[] = [];
    for (const reader of readers) effects.push(...(await effectsOf(from, reader, said)));
    if (effects.length > 0) copies.push({ event: said.event, effects, messageId: '' });
  }
  return copies;
}

/** Mostly none, and then it costs a look at an empty range. */
export async function readersOf(from: Reads, namespace: string): Promise<Reader[]> {
  const backfills = await listBackfills(from, namespace);
  if (backfills.length === 0) return [];
  const versions = await readMeterVersions(from, namespace);
  return backfills.flatMap((backfill) => {
    const meter = versions.find(({ key, version }) => key === backfill.meter && version === backfill.version);
    if (meter === undefined) return [];
    return [
      { backfill, meter, catalogue: compileCatalogue(namespace, meter.since, [{ ...meter, until: null }]) },
    ];
  });
}

async function effectsOf(from: Reads, reader: Reader, { event, stored }: Said): Promise<readonly Effect[]> {
  const { catalogueVersion } = stored;
  const { time, subject } = event;
  const effects = effectsIn(reader, event, catalogueVersion);
  if (effects.length === 0) return effects;
  return (await isPartDone(from, reader.backfill, { day: dayOf(time), subject })) ? effects : [];
}

/** What a backfill counts of an event, once its part is done. */
export function effectsIn(
  { backfill, meter, catalogue }: Reader,
  event: UsageEvent,
  catalogueVersion: number,
): readonly Effect[] {
  const by = countedAs(meter, daysOf(backfill), { catalogueVersion, time: event.time });
  if (by !== 'backfill') return [];
  const matched = matchEvent(catalogue, event);
  return matched.refusal ? [] : matched.effects;
}
