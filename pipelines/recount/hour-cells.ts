import { MICROS_PER_HOUR, MICROS_PER_MILLI, minuteOfHour } from '#domain/instant.ts';
import { accumulate, type Aggregation } from '#domain/metering/accumulator.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import {
  emptyHourCell,
  mergeHourCell,
  minuteOf,
  packHourCell,
  unpackHourCell,
  type HourCell,
  type PackedHourCell,
} from '#domain/metering/hour-cell.ts';
import { fromDecimalString } from '#domain/metering/quantity.ts';
import type { CombineFn } from '#pipelines/beam/combining.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
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

/** A cell as it is added to, or as it is stored: packed, so that it can cross any wire. */
export type HourCellForm = HourCell | PackedHourCell;

const isPacked = (cell: HourCellForm): cell is PackedHourCell => 'fingerprint' in cell;

/**
 * Folds events into the hour cell they lie in; the fold is the one of the commit. A worker adds to a cell as it is unpacked, and packs it once,
 * when it hands it on.
 */
export class HourCellCombiner implements CombineFn<Counted, HourCellForm, PackedHourCell> {
  readonly aggregation: Aggregation;

  constructor(aggregation: Aggregation) {
    this.aggregation = aggregation;
  }

  createAccumulator(): HourCell {
    return emptyHourCell();
  }

  addInput(into: HourCellForm, { time, identity, digest, value }: Counted): HourCell {
    const { aggregation } = this;
    const cell = this.unpacked(into);
    const event = { time, identity, digest: fingerprintOf(digest), value: fromDecimalString(value) };
    accumulate(minuteOf(cell, minuteOfHour(time)), aggregation, event);
    accumulate(cell.totals, aggregation, event);
    return cell;
  }

  mergeAccumulators(cells: Iterable<HourCellForm>): HourCell {
    const merged = emptyHourCell();
    for (const cell of cells) mergeHourCell(merged, this.aggregation, this.unpacked(cell));
    return merged;
  }

  compact(cell: HourCellForm): PackedHourCell {
    return isPacked(cell) ? cell : packHourCell(this.aggregation, cell);
  }

  extractOutput(cell: HourCellForm): PackedHourCell {
    return this.compact(cell);
  }

  private unpacked(cell: HourCellForm): HourCell {
    return isPacked(cell) ? unpackHourCell(this.aggregation, cell) : cell;
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
