import type { TimeWindow, WindowUnit } from '#domain/calendar/window.ts';
import { HOURS_PER_DAY, MINUTES_PER_HOUR } from '#domain/instant.ts';
import { unpackDayCell } from '#domain/metering/day-cell.ts';
import { unpackMinutes } from '#domain/metering/distinct-value.ts';
import { unpackHourCell } from '#domain/metering/hour-cell.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { IndexRange } from '#domain/usage/decompose.ts';
import {
  emptySubjectUsage,
  type LoadedDay,
  type LoadedHour,
  type LoadedValue,
  type SubjectUsage,
} from '#domain/usage/loaded-usage.ts';
import { distinctValueBound } from '#domain/usage/measure-distinct.ts';
import { readingPlan, TOTAL_VIEW, type ReadingPlan } from '#domain/usage/reading-plan.ts';
import { firstWindows, type UsageQuery } from '#domain/usage/usage-query.ts';
import type { Reads } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import { backfilledValue, distinctValue, usageDay, usageHour } from './tables.ts';

/** A subject, or one whose usage counts only in some spans: whole minutes, in order, disjoint. */
export type AskedSubject = string | { readonly subject: string; readonly spans: readonly TimeWindow[] };

export interface UsageSource {
  readonly from: Reads;
  readonly namespace: string;
  readonly meter: MeterVersion;
  readonly subjects: readonly AskedSubject[];
}

/** The next windows of a query, and the cells that answer them. */
export interface UsagePart {
  readonly part: UsageQuery;
  readonly usage: readonly SubjectUsage[];
}

/** Cells that are held at once, about: groups are not known before they are read, so the parts follow what was found. */
const CELLS_AIMED_AT = 10_000;
const WINDOWS_PER_PART_MAX = 10_000;
/** Subjects whose cells are asked for side by side. */
const SUBJECTS_AT_ONCE = 16;

/** Cells that one window of one subject takes at least, while no day of it is rolled. */
const CELLS_PER_WINDOW: Readonly<Record<WindowUnit, number>> = {
  minute: 1 / MINUTES_PER_HOUR,
  hour: 1,
  day: HOURS_PER_DAY,
  month: 31 * HOURS_PER_DAY,
  none: Infinity,
};

/** Loads what answers a query, some windows at a time, so that a long range takes no more memory than a short one. */
export async function* loadInParts(source: UsageSource, query: UsageQuery): AsyncGenerator<UsagePart> {
  let windows = windowsWithin(
    CELLS_AIMED_AT / (CELLS_PER_WINDOW[query.window] * Math.max(source.subjects.length, 1)),
  );
  let rest = query;
  for (;;) {
    const part = firstWindows(rest, windows);
    const usage = await loadUsage(source, part);
    yield { part, usage };
    if (part.to >= query.to) return;
    const { after: _, ...beginning } = rest;
    rest = { ...beginning, from: part.to };
    const cells = Math.max(cellsIn(usage), 1);
    windows = windowsWithin(Math.min(windows * 4, (windows * CELLS_AIMED_AT) / cells));
  }
}

const windowsWithin = (windows: number): number =>
  Math.min(Math.max(Math.floor(windows), 1), WINDOWS_PER_PART_MAX);

const cellsIn = (usage: readonly SubjectUsage[]): number =>
  usage.reduce(
    (sum, { days, hours, values, levels }) =>
      sum + days.length + hours.length + values.length + levels.length,
    0,
  );

/** Everything that a query needs, of all subjects in their order. Throws `TooManyDistinctValuesError`. */
export async function loadUsage(source: UsageSource, query: UsageQuery): Promise<SubjectUsage[]> {
  const usage: SubjectUsage[] = [];
  const whole = readingPlan(query);
  const admit = distinctValueBound();
  const load = (asked: AskedSubject): Promise<SubjectUsage> =>
    typeof asked === 'string'
      ? loadSubject({ ...source, plan: whole, admit }, asked)
      : loadSpans({ ...source, plan: readingPlan(query, asked.spans), admit }, asked);
  for (let at = 0; at < source.subjects.length; at += SUBJECTS_AT_ONCE)
    usage.push(...(await Promise.all(source.subjects.slice(at, at + SUBJECTS_AT_ONCE).map(load))));
  return usage;
}

interface Loading extends UsageSource {
  readonly plan: ReadingPlan;
  readonly admit: ReturnType<typeof distinctValueBound>;
}

const loadSpans = async (
  loading: Loading,
  { subject, spans }: { subject: string; spans: readonly TimeWindow[] },
): Promise<SubjectUsage> => ({ ...(await loadSubject(loading, subject)), spans });

async function loadSubject(loading: Loading, subject: string): Promise<SubjectUsage> {
  const { meter, plan } = loading;
  const series: Key = [loading.namespace, subject, meter.key, meter.generation];
  const [days, hours, values, levels] = await Promise.all([
    gather(plan.days, (range) => loadDays(loading, series, range)),
    gather(plan.hours, (range) => loadHours(loading, series, range)),
    loadValues(loading, series),
    plan.levelDay === undefined ? [] : loadLevels(loading, series, plan.levelDay),
  ]);
  return { ...emptySubjectUsage(subject), days, hours, values, levels };
}

/** Ranges are mostly one or two; those of many spans are read in turn. */
async function gather<Entry>(
  ranges: readonly IndexRange[],
  load: (range: IndexRange) => Promise<Entry[]>,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const range of ranges) for (const entry of await load(range)) entries.push(entry);
  return entries;
}

async function loadDays(
  { from: reads, meter, plan }: Loading,
  series: Key,
  { from, to }: IndexRange,
): Promise<LoadedDay[]> {
  const days: LoadedDay[] = [];
  for await (const row of reads.scan(usageDay, { prefix: [...series, plan.view], from, to })) {
    days.push({ day: row.day, group: row.group, cell: unpackDayCell(meter.definition.aggregation, row) });
  }
  return days;
}

async function loadHours(
  { from: reads, meter, plan }: Loading,
  series: Key,
  { from, to }: IndexRange,
): Promise<LoadedHour[]> {
  const hours: LoadedHour[] = [];
  for await (const row of reads.scan(usageHour, { prefix: [...series, plan.view], from, to })) {
    hours.push({ hour: row.hour, group: row.group, cell: unpackHourCell(meter.definition.aggregation, row) });
  }
  return hours;
}

async function loadValues({ from: reads, plan, admit }: Loading, series: Key): Promise<LoadedValue[]> {
  const values: LoadedValue[] = [];
  for (const { from, to } of plan.valueDays)
    // A value that both have is one: what is measured is their union.
    for (const table of [distinctValue, backfilledValue])
      for await (const row of reads.scan(table, { prefix: series, from, to })) {
        const { day, group, valueHash, minutes } = row;
        admit(valueHash);
        values.push({ day, group, valueHash, value: unpackMinutes(minutes) });
      }
  return values;
}

/** Of every group its last day row up to `levelDay`. */
async function loadLevels(
  { from: reads, plan }: Loading,
  series: Key,
  levelDay: number,
): Promise<LoadedDay[]> {
  const levels = new Map<string, LoadedDay>();
  const range = { prefix: [...series, plan.view], to: levelDay + 1 };
  for await (const row of reads.scan(usageDay, range, { reverse: true })) {
    if (levels.has(row.group)) continue;
    levels.set(row.group, { day: row.day, group: row.group, cell: unpackDayCell('timeWeightedSum', row) });
    // The total is one group; of others there may be one more on any earlier day.
    if (plan.view === TOTAL_VIEW) break;
  }
  return [...levels.values()];
}
