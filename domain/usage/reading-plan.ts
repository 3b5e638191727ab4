import type { TimeWindow } from '../calendar/window.ts';
import { HOURS_PER_DAY, dayOf, dayStart, type DayIndex, type Instant } from '../instant.ts';
import { splitBySpans } from './counted-spans.ts';
import { decompose, hoursTouching, type IndexRange } from './decompose.ts';
import { startOf, windowsOf, type UsageQuery } from './usage-query.ts';

/** View 0 holds a meter's totals, view 1 its groups. */
export const TOTAL_VIEW = 0;
export const GROUP_VIEW = 1;

/** What must be loaded, of every subject, to answer a query. A plain value; ranges are disjoint, not adjacent and rising. */
export interface ReadingPlan {
  readonly view: typeof TOTAL_VIEW | typeof GROUP_VIEW;
  readonly days: readonly IndexRange[];
  readonly hours: readonly IndexRange[];
  /** Unique only: the days whose distinct values are needed, of all groups. */
  readonly valueDays: readonly IndexRange[];
  /** timeWeightedSum only: of every group the last day cell at or before this day, from which levels begin. */
  readonly levelDay?: DayIndex;
}

/**
 * Reads day cells where whole rolled days lie inside a window, else hour cells. `spans` are those of the subject that is read: windows
 * are cut where they begin and end, so that no cell is read of which only a part would count. Only a level is followed through all time.
 */
export function readingPlan(query: UsageQuery, spans?: readonly TimeWindow[]): ReadingPlan {
  const view = query.groupBy.length > 0 || Object.keys(query.filter).length > 0 ? GROUP_VIEW : TOTAL_VIEW;
  if (query.aggregation === 'unique') {
    // Cells of distinct values say only which events there are.
    const cells = query.fingerprints
      ? cellRanges(query, startOf(query), partsToRead(query, spans))
      : NO_CELLS;
    return { view, ...cells, valueDays: daysTouching(query) };
  }
  const lead = query.aggregation === 'timeWeightedSum' ? levelLead(query) : undefined;
  const cells = cellRanges(query, lead?.from ?? startOf(query), partsToRead(query, spans));
  return { view, ...cells, valueDays: [], ...(lead ? { levelDay: lead.day } : {}) };
}

const NO_CELLS = { days: [], hours: [] } as const;

const daysTouching = (query: UsageQuery): IndexRange[] => [
  { from: dayOf(startOf(query)), to: dayOf(query.to - 1) + 1 },
];

/** Where the level at the start of reading comes from: a day cell's carry, and the deltas from an instant on. */
export interface LevelLead {
  readonly day: DayIndex;
  readonly from: Instant;
}

/**
 * In a rolled day, its own cell has the level at its start, or, when the day had no events, the last cell before it has. After the
 * rolled days, everything since the last of them is deltas. The lead never holds a whole rolled day.
 */
export function levelLead(query: UsageQuery): LevelLead {
  const day = dayOf(startOf(query));
  return { day: Math.min(day, query.rolledThrough), from: dayStart(Math.min(day, query.rolledThrough + 1)) };
}

function* partsToRead(
  query: UsageQuery,
  spans: readonly TimeWindow[] | undefined,
): Generator<TimeWindow, void> {
  for (const window of windowsOf(query))
    for (const part of splitBySpans(window, spans))
      if (part.counts || query.aggregation === 'timeWeightedSum') yield part;
}

function cellRanges(
  query: UsageQuery,
  leadFrom: Instant,
  parts: Iterable<TimeWindow>,
): Pick<ReadingPlan, 'days' | 'hours'> {
  const days: IndexRange[] = [];
  const hours: IndexRange[] = leadFrom < startOf(query) ? [hoursTouching(leadFrom, startOf(query))] : [];
  if (query.window === 'minute' || query.window === 'hour') {
    // No such window holds a whole day, so the windows need not be visited one by one.
    append(hours, hoursTouching(startOf(query), query.to));
    return { days, hours };
  }
  for (const { from, to } of parts) {
    const [rolled] = decompose(from, to, query.rolledThrough).days;
    if (rolled) append(days, rolled);
    for (const range of hoursOutside(hoursTouching(from, to), rolled)) append(hours, range);
  }
  return { days, hours };
}

/** The hours that a window touches outside its rolled days: whole ones, and those of edge minutes. */
function hoursOutside(touched: IndexRange, rolled: IndexRange | undefined): IndexRange[] {
  if (!rolled) return [touched];
  return [
    { from: touched.from, to: rolled.from * HOURS_PER_DAY },
    { from: rolled.to * HOURS_PER_DAY, to: touched.to },
  ].filter((range) => range.from < range.to);
}

/** Ranges come in order of time, both their starts and their ends; one that meets or overlaps the last is joined to it. */
function append(ranges: IndexRange[], range: IndexRange): void {
  const last = ranges.at(-1);
  if (last && range.from <= last.to) ranges[ranges.length - 1] = { from: last.from, to: range.to };
  else ranges.push(range);
}
