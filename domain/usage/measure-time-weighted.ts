import type { TimeWindow } from '../calendar/window.ts';
import { dayStart } from '../instant.ts';
import type { Accumulator } from '../metering/accumulator.ts';
import { toDecimalString, toScaled } from '../metering/quantity.ts';
import { indexCells, takeParts, type IndexedCells } from './cells-in-range.ts';
import { classesBySpans, splitBySpans, type SpanClass } from './counted-spans.ts';
import { divideHalfAwayFromZero } from './division.ts';
import type { SubjectUsage } from './loaded-usage.ts';
import type { Measure } from './measure.ts';
import { levelLead } from './reading-plan.ts';
import { TOTAL_SERIES, type Series, type SeriesOf } from './series.ts';
import { isGrouped, startOf, type UsageQuery } from './usage-query.ts';

/** The level of each series, scaled by 10^18; or what it comes to over time, in level x microseconds. */
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
  const tracks = classesBySpans(usage).map((each) => trackOf(query, each, seriesOf));
  return (window) => {
    // A level that nothing changed is 0 and has a value all the same, where it is not one of groups.
    const integrals: Levels = new Map(isGrouped(query) ? [] : [[TOTAL_SERIES, 0n]]);
    for (const track of tracks) follow(track, window, integrals);
    return new Map([...integrals].map(([series, integral]) => [series, averageLevel(window, integral)]));
  };
}

/** The levels of some subjects while they are followed through time, and where their usage counts. */
interface Track extends Pick<SpanClass, 'spans'> {
  readonly cells: IndexedCells;
  readonly levels: Levels;
}

function trackOf(query: UsageQuery, { spans, usage }: SpanClass, seriesOf: SeriesOf): Track {
  const cells = indexCells(usage, seriesOf, query.rolledThrough);
  const levels = levelsAtStart(query, usage, seriesOf);
  addDeltas(levels, changesIn({ from: levelLead(query).from, to: startOf(query) }, cells));
  return { spans, cells, levels };
}

/**
 * Follows the levels through a window and adds up what is held of them while it counts. A subject that begins to count brings its level
 * with it: whoever it belongs to from now on uses what it holds.
 */
function follow({ spans, cells, levels }: Track, window: TimeWindow, integrals: Levels): void {
  for (const part of splitBySpans(window, spans)) {
    const changes = changesIn(part, cells);
    if (part.counts)
      for (const series of seriesWithUsage(levels, changes))
        integrals.set(series, (integrals.get(series) ?? 0n) + heldIn(part, series, { levels, changes }));
    addDeltas(levels, changes);
  }
}

interface Held {
  readonly levels: Levels;
  readonly changes: ReadonlyMap<Series, Change>;
}

const heldIn = ({ from, to }: TimeWindow, series: Series, { levels, changes }: Held): bigint =>
  (levels.get(series) ?? 0n) * BigInt(to - from) + (changes.get(series)?.integral ?? 0n);

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
function seriesWithUsage(levels: Levels, changes: ReadonlyMap<Series, Change>): Set<Series> {
  const series = new Set(changes.keys());
  for (const [held, level] of levels) if (level !== 0n) series.add(held);
  return series;
}

const averageLevel = ({ from, to }: TimeWindow, integral: bigint): string =>
  toDecimalString(divideHalfAwayFromZero(integral, BigInt(to - from)));

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
