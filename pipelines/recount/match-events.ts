import { compileCatalogue } from '#domain/metering/catalogue.ts';
import { countedAs, type BackfilledDays } from '#domain/metering/counted-as.ts';
import { matchEvent, type MatchResult } from '#domain/metering/effects.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { MeteredEvent } from '#infra/warehouse/metered-event.ts';
import type { CountedBy } from './recounted.ts';

/** What is recounted: one version of a meter. */
export interface RecountedMeter {
  readonly namespace: string;
  readonly meter: MeterVersion;
  readonly backfilled: BackfilledDays | null;
  /** Only the events that the backfill counts; those of the stream, too, where the whole is looked at. */
  readonly only: 'backfill' | 'all';
}

/** What an event does to the meter, and in whose cells. */
export interface MatchedEvent {
  readonly by: CountedBy;
  readonly matched: MatchResult;
}

/** What of an event counts for the meter, by the same matching as the commit's; undefined where nobody counts it that is asked for. */
export type MatchEvent = (event: MeteredEvent) => MatchedEvent | undefined;

export function createMatcher({ namespace, meter, backfilled, only }: RecountedMeter): MatchEvent {
  // In force at its own beginning, whether or not it has ended since.
  const catalogue = compileCatalogue(namespace, meter.since, [{ ...meter, until: null }]);
  return (event) => {
    const by = countedAs(meter, backfilled ?? undefined, event);
    if (by === 'nobody' || (only !== 'all' && by !== only)) return undefined;
    return { by, matched: matchEvent(catalogue, event) };
  };
}
