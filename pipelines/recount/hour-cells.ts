import { MICROS_PER_HOUR, MICROS_PER_MILLI, minuteOfHour } from '#domain/instant.ts';
import { accumulate, emptyAccumulator, type Aggregation } from '#domain/metering/accumulator.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import {
  addToHourCell,
  emptyHourCell,
  mergeHourCell,
  packHourCell,
  unpackHourCell,
  type PackedHourCell,
} from '#domain/metering/hour-cell.ts';
import { fromDecimalString } from '#domain/metering/quantity.ts';
import type { CombineFn, Keyed } from '#pipelines/beam/grouping.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type { Counted, CountedBy, Matched, RecountedHour } from './recounted.ts';

export class SelectCounted implements SyncDoFn<Matched, Counted> {
  process(matched: Matched, emit: Emit<Counted>): void {
    if (matched.kind === 'hour') emit(matched);
  }
}

/** Names a series of one slot. The hour is the window's. */
export const seriesOfCounted = ({ subject, by, view, group }: Counted): string =>
  JSON.stringify([subject, by, view, group]);

/**
 * Folds events into the hour cell they lie in. An accumulator is the cell as it is stored, so it can cross any wire; the fold is the one of
 * the commit. Null before the first event.
 */
export class HourCellCombiner implements CombineFn<Counted, PackedHourCell | null, PackedHourCell> {
  readonly aggregation: Aggregation;

  constructor(aggregation: Aggregation) {
    this.aggregation = aggregation;
  }

  createAccumulator(): null {
    return null;
  }

  addInput(cell: PackedHourCell | null, { time, identity, digest, value }: Counted): PackedHourCell {
    const accumulator = emptyAccumulator();
    accumulate(accumulator, this.aggregation, {
      time,
      identity,
      digest: fingerprintOf(digest),
      value: fromDecimalString(value),
    });
    return addToHourCell(cell ?? undefined, this.aggregation, [{ minute: minuteOfHour(time), accumulator }]);
  }

  mergeAccumulators(cells: Iterable<PackedHourCell | null>): PackedHourCell | null {
    const merged = emptyHourCell();
    for (const cell of cells)
      if (cell !== null) mergeHourCell(merged, this.aggregation, unpackHourCell(this.aggregation, cell));
    return merged.minutes.size === 0 ? null : packHourCell(this.aggregation, merged);
  }

  extractOutput(cell: PackedHourCell | null): PackedHourCell {
    return cell ?? packHourCell(this.aggregation, emptyHourCell());
  }
}

/** Beam's windows are of milliseconds. */
const MILLIS_PER_HOUR = MICROS_PER_HOUR / MICROS_PER_MILLI;

export interface InWindow {
  readonly window: { lookup(): { maxTimestamp(): { toNumber(): number } } };
}

export class ToRecountedHour implements SyncDoFn<Keyed<PackedHourCell>, RecountedHour, InWindow> {
  process(
    { key, value: cell }: Keyed<PackedHourCell>,
    emit: Emit<RecountedHour>,
    { window }: InWindow,
  ): void {
    const [subject, by, view, group] = JSON.parse(key) as [string, CountedBy, number, string];
    const hour = Math.floor(window.lookup().maxTimestamp().toNumber() / MILLIS_PER_HOUR);
    emit({ kind: 'hour', by, subject, view, hour, group, cell });
  }
}
