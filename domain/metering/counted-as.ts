import { dayOf, type DayIndex, type Instant } from '../instant.ts';
import type { MeterVersion } from './meter.ts';

/** The UTC days whose earlier events a backfill counts: [firstDay, endDay). */
export interface BackfilledDays {
  readonly firstDay: DayIndex;
  readonly endDay: DayIndex;
}

/** Who counts an event on a version of a meter: the stream when it commits it, a backfill afterwards, or nobody. */
export type CountedAs = 'stream' | 'backfill' | 'nobody';

/**
 * An event belongs to the stream from the catalogue version on that made the meter's version, and to its backfill below it: never to both.
 * `since` is thus the cut-off of every backfill of the version, however often it is run.
 */
export function countedAs(
  { since, until }: Pick<MeterVersion, 'since' | 'until'>,
  backfilled: BackfilledDays | undefined,
  event: { readonly catalogueVersion: number; readonly time: Instant },
): CountedAs {
  const { catalogueVersion, time } = event;
  if (catalogueVersion >= since) return until === null || catalogueVersion < until ? 'stream' : 'nobody';
  if (backfilled === undefined) return 'nobody';
  const day = dayOf(time);
  return day >= backfilled.firstDay && day < backfilled.endDay ? 'backfill' : 'nobody';
}
