import { MICROS_PER_HOUR, MICROS_PER_MILLI } from '#domain/instant.ts';
import type { Aggregation } from '#domain/metering/accumulator.ts';
import {
  emptyHourCell,
  mergeHourCell,
  packHourCell,
  unpackHourCell,
  type HourCell,
  type PackedHourCell,
} from '#domain/metering/hour-cell.ts';
import type { CombineFn } from '#pipelines/beam/combining.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type { CountedBy, Recounted, RecountedHour } from './recounted.ts';

export class SelectHours implements SyncDoFn<Recounted, RecountedHour> {
  process(recounted: Recounted, emit: Emit<RecountedHour>): void {
    if (recounted.kind === 'hour') emit(recounted);
  }
}

/** Names a series of one slot. The hour is the window's. */
export const seriesOfHour = ({ subject, by, view, group }: RecountedHour): string =>
  JSON.stringify([subject, by, view, group]);

/** A cell as it is added to, or as it is stored: packed, so that it can cross any wire. */
export type HourCellForm = HourCell | PackedHourCell;

const isPacked = (cell: HourCellForm): cell is PackedHourCell => 'fingerprint' in cell;
const isEmpty = (cell: HourCellForm): boolean => !isPacked(cell) && cell.minutes.size === 0;

/**
 * Makes one hour cell of the pieces of it. Most cells come in one piece and stay as they are packed; others are unpacked for the second piece, and
 * packed once, when they leave the worker.
 */
export class HourCellCombiner implements CombineFn<RecountedHour, HourCellForm, PackedHourCell> {
  readonly aggregation: Aggregation;

  constructor(aggregation: Aggregation) {
    this.aggregation = aggregation;
  }

  createAccumulator(): HourCell {
    return emptyHourCell();
  }

  addInput(into: HourCellForm, { cell }: RecountedHour): HourCellForm {
    return this.together(into, cell);
  }

  mergeAccumulators(cells: Iterable<HourCellForm>): HourCellForm {
    let merged: HourCellForm = emptyHourCell();
    for (const cell of cells) merged = this.together(merged, cell);
    return merged;
  }

  compact(cell: HourCellForm): PackedHourCell {
    return isPacked(cell) ? cell : packHourCell(this.aggregation, cell);
  }

  extractOutput(cell: HourCellForm): PackedHourCell {
    return this.compact(cell);
  }

  private together(into: HourCellForm, cell: HourCellForm): HourCellForm {
    if (isEmpty(into)) return cell;
    const sum = this.unpacked(into);
    mergeHourCell(sum, this.aggregation, this.unpacked(cell));
    return sum;
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
