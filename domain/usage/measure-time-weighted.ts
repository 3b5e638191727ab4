import type { TimeWindow } from '../calendar/window.ts';
import { dayStart } from '../instant.ts';
import type { Accumulator } from '../metering/accumulator.ts';
import { toDecimalString, toScaled } from '../metering/quantity.ts';
import { indexCells, takeParts, type IndexedCells } from './cells-in-range.ts';
import { divideHalfAwayFromZero } from './division.ts';
import type { SubjectUsage } from './loaded-usage.ts';
import type { Measure } from './measure.ts';
import { levelLead } from './reading-plan.ts';
import { TOTAL_SERIES, type Series, type SeriesOf } from './series.ts';
import { isGrouped, startOf, type UsageQuery } from './usage-query.ts';

/** The level of each series, scaled by 10^18. */
type Levels = Map<Series, bigint>;

/** What the events of a window do to a level: both scaled by 10^18, the integral in level x microseconds. */
interface Change {
  delta: bigint;
  /** The sum of value x (end of the window - time of the event). */
  integral: bigint;
}

/**
 * timeWeightedSum: events are signed deltas of a level, and a window's value is the level's average over the window's time,
 * (level at its start x duration + integral of the deltas) / duration. Everything is exact up to that one division.
 */
export function measureTimeWeighted(
  query: UsageQuery,
  usage: readonly SubjectUsage[],
  seriesOf: SeriesOf,
): Measure {
  const cells = indexCells(usage, seriesOf, query.rolledThrough);
  const levels = levelsAtStart(query, usage, seriesOf);
  addDeltas(levels, changesIn({ from: levelLead(query).from, to: startOf(query) }, cells));
  return (window) => {
    const changes = changesIn(window, cells);
    const values = new Map<Series, string>();
    for (const series of seriesWithUsage(query, levels, changes))
      values.set(series, averageLevel(window, levels.get(series) ?? 0n, changes.get(series)?.integral ?? 0n));
    addDeltas(levels, changes);
    return values;
  };
}

/** The levels where the lead begins: what the last day cells carry, with the day's own deltas when the day is over by then. */
function levelsAtStart(query: UsageQuery, usage: readonly SubjectUsage[], seriesOf: SeriesOf): Levels {
  const leadFrom = levelLead(query).from;
  const levels: Levels = new Map();
  for (const { subject, levels: carried } of usage) {
    for (const { group, day, cell } of carried) {
      const series = seriesOf(subject, group);
      if (!series) continue;
      const ownDeltas = dayStart(day) < leadFrom ? toScaled(cell.totals.value) : 0n;
      levels.set(series, (levels.get(series) ?? 0n) + toScaled(cell.carry) + ownDeltas);
    }
  }
  return levels;
}

function addDeltas(levels: Levels, changes: ReadonlyMap<Series, Change>): void {
  for (const [series, { delta }] of changes) levels.set(series, (levels.get(series) ?? 0n) + delta);
}

/** A level that is held through a window is usage, though no event is in it: else groups would not add up to the total. */
function seriesWithUsage(
  query: UsageQuery,
  levels: Levels,
  changes: ReadonlyMap<Series, Change>,
): Set<Series> {
  const series = new Set(changes.keys());
  for (const [held, level] of levels) if (level !== 0n) series.add(held);
  return isGrouped(query) ? series : series.add(TOTAL_SERIES);
}

function averageLevel(window: TimeWindow, level: bigint, integral: bigint): string {
  const duration = BigInt(window.to - window.from);
  return toDecimalString(divideHalfAwayFromZero(level * duration + integral, duration));
}

function changesIn({ from, to }: TimeWindow, cells: IndexedCells): Map<Series, Change> {
  const changes = new Map<Series, Change>();
  takeParts(cells, from, to, (series, deltas, cellStart) =>
    addPart(changeOf(changes, series), deltas, to - cellStart),
  );
  return changes;
}

/**
 * The sum of value x (end - time) is the sum of value x (end - start of the cell) less the moment, the sum of value x (time - start).
 * Worked: +3 at 00:30 in a window that ends at 02:00 is 3 x 120 min - 90 = 270, which is 3 over 90 minutes.
 */
function addPart(change: Change, deltas: Accumulator, microsToEnd: number): void {
  const value = toScaled(deltas.value);
  change.delta += value;
  change.integral += value * BigInt(microsToEnd) - toScaled(deltas.moment);
}

function changeOf(changes: Map<Series, Change>, series: Series): Change {
  let change = changes.get(series);
  if (!change) {
    change = { delta: 0n, integral: 0n };
    changes.set(series, change);
  }
  return change;
}
