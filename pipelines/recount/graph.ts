import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND } from '#domain/instant.ts';
import { apply, flatten } from '#pipelines/beam/graph.ts';
import { combinePerKey } from '#pipelines/beam/combining.ts';
import { fixedWindows, groupByKey, keyBy, oneWindow } from '#pipelines/beam/grouping.ts';
import { beam, type BeamInstant, type PCollection, type Transform } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { withCoder } from '#pipelines/beam/wire-coder.ts';
import { nameOfValue, ReferenceCombiner, SelectValues, ToRecountedValue } from './distinct-values.ts';
import { FoldEvents } from './fold-events.ts';
import { HourCellCombiner, SelectHours, seriesOfHour, ToRecountedHour } from './hour-cells.ts';
import type { RecountedMeter } from './match-events.ts';
import type { Recounted, RecountInput, SubjectRecount } from './recounted.ts';
import './stages.ts';
import { GatherSubject, SelectOthers, subjectDayOf } from './subjects.ts';
import { beginOfDay, beginOfHour } from './timestamp.ts';
import {
  hourCellCoder,
  packedValueCoder,
  recountedCoder,
  recountedHourCoder,
  recountedValueCoder,
} from './wire-coders.ts';

const SECONDS_PER_HOUR = MICROS_PER_HOUR / MICROS_PER_SECOND;
const SECONDS_PER_DAY = MICROS_PER_DAY / MICROS_PER_SECOND;

/**
 * Usage counted anew from the events of some days: folded into pieces of cells where they are read, put into windows of hours and days, combined into the
 * cells that the commit would have made of them, and gathered by subject and day.
 */
export function recount(events: PCollection<RecountInput>, of: RecountedMeter): PCollection<SubjectRecount> {
  return recountFolded(apply('fold', events, syncParDo(new FoldEvents(of))), of);
}

/** The same behind the folding. */
export function recountFolded(
  folded: PCollection<Recounted>,
  of: RecountedMeter,
): PCollection<SubjectRecount> {
  const others = apply('other subjects', folded, withCoder(syncParDo(new SelectOthers()), recountedCoder));
  // Each with its key before they come together: a runner then hands them from shuffle to shuffle without another worker between.
  const cells = flatten('cells', [
    apply('others by subject', others, keyBy(subjectDayOf, recountedCoder)),
    apply('hours by subject', hourCells(folded, of), keyBy(subjectDayOf, recountedCoder)),
    apply('values by subject', distinctValues(folded), keyBy(subjectDayOf, recountedCoder)),
  ]);
  const gathered = apply('by subject', cells, groupByKey<Recounted>());
  return apply('gather', gathered, syncParDo(new GatherSubject()));
}

function hourCells(folded: PCollection<Recounted>, of: RecountedMeter): PCollection<Recounted> {
  const { aggregation } = of.meter.definition;
  const pieces = apply(
    'pieces of hours',
    folded,
    withCoder(syncParDo(new SelectHours()), recountedHourCoder),
  );
  const placed = apply('at their hours', pieces, at(beginOfHour));
  const windowed = apply('hours', placed, fixedWindows(SECONDS_PER_HOUR));
  const combining = combinePerKey(seriesOfHour, new HourCellCombiner(aggregation), {
    ...{ input: recountedHourCoder, accumulator: hourCellCoder, output: hourCellCoder },
  });
  const combined = apply('hour cells', windowed, combining);
  const rows = syncParDo(new ToRecountedHour(), { context: { window: beam.windowParam() } });
  const hours = apply('hour rows', combined, withCoder(rows, recountedHourCoder));
  return apply<Recounted, Recounted>('hours together', hours, oneWindow());
}

function distinctValues(folded: PCollection<Recounted>): PCollection<Recounted> {
  const pieces = apply(
    'pieces of values',
    folded,
    withCoder(syncParDo(new SelectValues()), recountedValueCoder),
  );
  const placed = apply('at their days', pieces, at(beginOfDay));
  const windowed = apply('days', placed, fixedWindows(SECONDS_PER_DAY));
  const combining = combinePerKey(nameOfValue, new ReferenceCombiner(), {
    ...{ input: recountedValueCoder, accumulator: packedValueCoder, output: packedValueCoder },
  });
  const combined = apply('references', windowed, combining);
  const rows = syncParDo(new ToRecountedValue(), { context: { window: beam.windowParam() } });
  const values = apply('value rows', combined, withCoder(rows, recountedValueCoder));
  return apply<Recounted, Recounted>('values together', values, oneWindow());
}

const at = <T>(time: (element: T) => BeamInstant): Transform<T, T> =>
  beam.withName('timestamps', beam.assignTimestamps(time as never));
