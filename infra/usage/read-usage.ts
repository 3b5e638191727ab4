import type { IndexRange } from '#domain/usage/decompose.ts';
import {
  emptySubjectUsage,
  hasDirtyCells,
  type LoadedDay,
  type LoadedHour,
  type LoadedValue,
  type SubjectUsage,
} from '#domain/usage/loaded-usage.ts';
import { distinctValueBound } from '#domain/usage/measure-distinct.ts';
import { readingPlan, type ReadingPlan } from '#domain/usage/reading-plan.ts';
import { usageQuery, type UsageRequest } from '#domain/usage/usage-query.ts';
import { usageRows, type UsageRow } from '#domain/usage/usage-rows.ts';
import { unpackDayCell } from '#domain/metering/day-cell.ts';
import { unpackMinutes } from '#domain/metering/distinct-value.ts';
import { unpackHourCell } from '#domain/metering/hour-cell.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { readCatalogueRow, readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import { distinctValue, usageDay, usageHour } from './tables.ts';
import { readFreshness, type Freshness } from './watermark.ts';

/** A question about the usage of some subjects by one meter. */
export interface ReadUsage extends Omit<UsageRequest, 'aggregation' | 'rolledThrough' | 'dimensions'> {
  readonly namespace: string;
  readonly meter: string;
  readonly subjects: readonly string[];
}

export interface UsageAnswer {
  readonly meter: MeterVersion;
  readonly rows: readonly UsageRow[];
  /** Absent while no feed has reported a watermark. */
  readonly freshness: Freshness | undefined;
  /** Some cell waits to be recomputed: such usage may be shown but not invoiced. */
  readonly dirty: boolean;
}

export class UnknownMeter extends Error {
  constructor(key: string) {
    super(`there is no meter ${key} that can be read`);
    this.name = 'UnknownMeter';
  }
}

/** Answers from the cells, never from events. Throws `UnknownMeter`, `UsageQueryError`, `UnknownTimeZoneError`, `TooManyDistinctValuesError`. */
export async function readUsage(database: Database, request: ReadUsage): Promise<UsageAnswer> {
  // The watermark is read before the cells: they hold at least what it promises.
  const freshness = await readFreshness(database, request.namespace);
  const { rolledThrough } = await readCatalogueRow(database, request.namespace);
  const meter = await activeMeter(database, request.namespace, request.meter);
  const { aggregation, dimensions = {} } = meter.definition;
  const query = usageQuery({ ...request, aggregation, rolledThrough, dimensions: Object.keys(dimensions) });
  const plan = readingPlan(query);
  const usage = await Promise.all(
    request.subjects.map((subject) =>
      loadSubject({ database, namespace: request.namespace, meter, plan }, subject),
    ),
  );
  return { meter, rows: [...usageRows(query, usage)], freshness, dirty: hasDirtyCells(usage) };
}

async function activeMeter(database: Database, namespace: string, key: string): Promise<MeterVersion> {
  const versions = await readMeterVersions(database, namespace, key);
  const active = versions.find(({ state }) => state === 'active');
  if (active === undefined) throw new UnknownMeter(key);
  return active;
}

interface Loading {
  readonly database: Database;
  readonly namespace: string;
  readonly meter: MeterVersion;
  readonly plan: ReadingPlan;
}

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

const gather = async <Entry>(
  ranges: readonly IndexRange[],
  load: (range: IndexRange) => Promise<Entry[]>,
): Promise<Entry[]> => (await Promise.all(ranges.map(load))).flat();

async function loadDays(
  { database, meter, plan }: Loading,
  series: Key,
  { from, to }: IndexRange,
): Promise<LoadedDay[]> {
  const days: LoadedDay[] = [];
  for await (const row of database.scan(usageDay, { prefix: [...series, plan.view], from, to })) {
    days.push({ day: row.day, group: row.group, cell: unpackDayCell(meter.definition.aggregation, row) });
  }
  return days;
}

async function loadHours(
  { database, meter, plan }: Loading,
  series: Key,
  { from, to }: IndexRange,
): Promise<LoadedHour[]> {
  const hours: LoadedHour[] = [];
  for await (const row of database.scan(usageHour, { prefix: [...series, plan.view], from, to })) {
    hours.push({ hour: row.hour, group: row.group, cell: unpackHourCell(meter.definition.aggregation, row) });
  }
  return hours;
}

async function loadValues({ database, plan }: Loading, series: Key): Promise<LoadedValue[]> {
  const values: LoadedValue[] = [];
  const count = distinctValueBound();
  for (const { from, to } of plan.valueDays) {
    for await (const { day, group, valueHash, minutes } of database.scan(distinctValue, {
      prefix: series,
      from,
      to,
    })) {
      count(valueHash);
      values.push({ day, group, valueHash, value: unpackMinutes(minutes) });
    }
  }
  return values;
}

/** Of every group its last day row up to `levelDay`. */
async function loadLevels({ database, plan }: Loading, series: Key, levelDay: number): Promise<LoadedDay[]> {
  const levels = new Map<string, LoadedDay>();
  const range = { prefix: [...series, plan.view], to: levelDay + 1 };
  for await (const row of database.scan(usageDay, range, { reverse: true })) {
    if (levels.has(row.group)) continue;
    levels.set(row.group, { day: row.day, group: row.group, cell: unpackDayCell('timeWeightedSum', row) });
  }
  return [...levels.values()];
}
