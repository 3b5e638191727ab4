import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND } from '#domain/instant.ts';
import { apply, flatten } from '#pipelines/beam/graph.ts';
import { combinePerKey } from '#pipelines/beam/combining.ts';
import { fixedWindows, groupPerKey, oneWindow } from '#pipelines/beam/grouping.ts';
import { beam, type PCollection, type Transform } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { nameOfNamed, ReferenceCombiner, SelectNamed, ToRecountedValue } from './distinct-values.ts';
import { HourCellCombiner, SelectCounted, seriesOfCounted, ToRecountedHour } from './hour-cells.ts';
import { MatchEvents, type RecountedMeter } from './match-events.ts';
import type { Counted, Matched, Named, Recounted, RecountInput, SubjectRecount } from './recounted.ts';
import './stages.ts';
import { GatherSubject, SelectOthers, subjectDayOf } from './subjects.ts';
import { timestampOf } from './timestamp.ts';

const SECONDS_PER_HOUR = MICROS_PER_HOUR / MICROS_PER_SECOND;
const SECONDS_PER_DAY = MICROS_PER_DAY / MICROS_PER_SECOND;

/**
 * Usage counted anew from the events of some days: matched, put into windows of hours and days by their own times, combined into the cells that
 * the commit would have made of them, and gathered by subject and day.
 */
export function recount(events: PCollection<RecountInput>, of: RecountedMeter): PCollection<SubjectRecount> {
  return recountMatched(apply('match', events, syncParDo(new MatchEvents(of))), of);
}

/** The same behind the matching. */
export function recountMatched(
  matched: PCollection<Matched>,
  of: RecountedMeter,
): PCollection<SubjectRecount> {
  const cells = flatten<Recounted>('cells', [
    apply('other subjects', matched, syncParDo(new SelectOthers())),
    hourCells(matched, of),
    distinctValues(matched),
  ]);
  const gathered = apply('by subject', cells, groupPerKey(subjectDayOf));
  return apply('gather', gathered, syncParDo(new GatherSubject()));
}

function hourCells(matched: PCollection<Matched>, of: RecountedMeter): PCollection<Recounted> {
  const { aggregation } = of.meter.definition;
  const counted = apply('counted', matched, syncParDo(new SelectCounted()));
  const placed = apply('at the times of events', counted, atTimesOfEvents<Counted>());
  const windowed = apply('hours', placed, fixedWindows(SECONDS_PER_HOUR));
  const combined = apply(
    'hour cells',
    windowed,
    combinePerKey(seriesOfCounted, new HourCellCombiner(aggregation)),
  );
  const hours = apply(
    'hour rows',
    combined,
    syncParDo(new ToRecountedHour(), { context: { window: beam.windowParam() } }),
  );
  return apply<Recounted, Recounted>('hours together', hours, oneWindow());
}

function distinctValues(matched: PCollection<Matched>): PCollection<Recounted> {
  const named = apply('named', matched, syncParDo(new SelectNamed()));
  const placed = apply('at the times of naming', named, atTimesOfEvents<Named>());
  const windowed = apply('days', placed, fixedWindows(SECONDS_PER_DAY));
  const combined = apply('references', windowed, combinePerKey(nameOfNamed, new ReferenceCombiner()));
  const values = apply(
    'value rows',
    combined,
    syncParDo(new ToRecountedValue(), { context: { window: beam.windowParam() } }),
  );
  return apply<Recounted, Recounted>('values together', values, oneWindow());
}

const atTimesOfEvents = <T extends { readonly time: number }>(): Transform<T, T> =>
  beam.withName('timestamps', beam.assignTimestamps(timestampOf as never));
