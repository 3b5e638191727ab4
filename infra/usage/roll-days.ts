import { dayOf, HOURS_PER_DAY, type DayIndex, type Instant } from '#domain/instant.ts';
import type { Aggregation } from '#domain/metering/accumulator.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { readCatalogueRow, readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import { catalogue } from '#infra/catalogue/tables.ts';
import type { Database } from '#infra/database/database.ts';
import { compareKeys } from '#infra/database/key-order.ts';
import { rollTogether, seriesOf, type Series } from './roll-series.ts';
import { usageHour } from './tables.ts';

/** Series rolled in one transaction: each is a scan of at most 24 hours and a few rows. */
const SERIES_PER_TRANSACTION = 200;
/** Days rolled in one call; the rest is rolled by the next, so that a call is short even after a long pause. */
const DAYS_PER_CALL_MAX = 60;

/**
 * Rolls every day that is over and complete into day rows. `closedThrough` moves first: commits in flight see it and write their day rows
 * themselves from then on. Then the day rows are written, absolute, from the hour cells; then `rolledThrough` moves, and readers use them.
 * Safe to repeat, to run beside commits and in several processes at once. Returns the days rolled.
 */
export async function rollDays(
  database: Database,
  namespace: string,
  completeThrough: Instant,
): Promise<number> {
  const lastCompleteDay = dayOf(completeThrough) - 1;
  const { rolledThrough } = await readCatalogueRow(database, namespace);
  if (lastCompleteDay <= rolledThrough) return 0;
  await moveCatalogueDay(database, namespace, 'closedThrough', lastCompleteDay);
  // Looked for only now: what is committed after the closing writes its day rows itself, so no day can be missed.
  const first = await firstDayWithUsage(database, namespace, {
    from: rolledThrough + 1,
    to: lastCompleteDay + 1,
  });
  if (first === undefined) return 0;
  const last = Math.min(lastCompleteDay, first + DAYS_PER_CALL_MAX - 1);
  for (let day = first; day <= last; day++) await rollDay(database, namespace, day);
  return last - first + 1;
}

/** Moves a day of the catalogue row forward, never back. */
export async function moveCatalogueDay(
  database: Database,
  namespace: string,
  column: 'closedThrough' | 'rolledThrough',
  day: DayIndex,
): Promise<void> {
  await database.transact(async (tx) => {
    const row = await readCatalogueRow(tx, namespace);
    if (row[column] < day) tx.upsert(catalogue, { ...row, [column]: day });
  });
}

const hoursOf = (days: { from: DayIndex; to: DayIndex }) => ({
  from: days.from * HOURS_PER_DAY,
  to: days.to * HOURS_PER_DAY,
});

async function firstDayWithUsage(
  database: Database,
  namespace: string,
  days: { from: DayIndex; to: DayIndex },
): Promise<DayIndex | undefined> {
  const rows = database.scan(usageHour, { prefix: [namespace] }, { partition: hoursOf(days), limit: 1 });
  for await (const { hour } of rows) return Math.floor(hour / HOURS_PER_DAY);
  return undefined;
}

async function aggregationsOf(
  database: Database,
  namespace: string,
): Promise<ReadonlyMap<string, Aggregation>> {
  const versions = await readMeterVersions(database, namespace);
  return new Map(
    versions.map((meter: MeterVersion) => [`${meter.key}@${meter.generation}`, meter.definition.aggregation]),
  );
}

async function rollDay(database: Database, namespace: string, day: DayIndex): Promise<void> {
  const series = await seriesOfDay(database, namespace, day);
  // Looked up only now: a meter may have been saved, and counted its first events, while the days before were rolled.
  const aggregations = await aggregationsOf(database, namespace);
  for (let at = 0; at < series.length; at += SERIES_PER_TRANSACTION) {
    const some = series.slice(at, at + SERIES_PER_TRANSACTION);
    await database.transact((tx) =>
      rollTogether(tx, { day, series: some, aggregationOf: (each) => aggregationOf(each, aggregations) }),
    );
  }
  await moveCatalogueDay(database, namespace, 'rolledThrough', day);
}

/** In the order of their keys. */
async function seriesOfDay(database: Database, namespace: string, day: DayIndex): Promise<Series[]> {
  const hours = hoursOf({ from: day, to: day + 1 });
  const found = new Map<string, Series>();
  for await (const row of database.scan(usageHour, { prefix: [namespace] }, { partition: hours })) {
    const series = seriesOf(row);
    found.set(JSON.stringify(series), series);
  }
  return [...found.values()].sort(compareKeys);
}

function aggregationOf(
  [, , meter, generation]: Series,
  aggregations: ReadonlyMap<string, Aggregation>,
): Aggregation {
  const aggregation = aggregations.get(`${meter}@${generation}`);
  if (aggregation === undefined)
    throw new Error(
      `hour cells of meter ${meter}, generation ${generation}, which the catalogue does not know`,
    );
  return aggregation;
}
