import { HOURS_PER_DAY, MICROS_PER_DAY } from '#domain/instant.ts';
import { toHex } from '#domain/metering/hash128.ts';
import type { UsageRow } from '#domain/usage/usage-rows.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { usageDay, usageHour } from '#infra/usage/tables.ts';
import { NAMESPACE } from '#test/support/local-stores.ts';
import type { Plan } from '#test/support/reference-plan.ts';
import {
  byHour,
  fingerprintOf,
  groupOf,
  referenceValue,
  valueOf,
  type CountedEvent,
  type ReferenceSeries,
  type ReferenceUsage,
} from '#test/support/reference-usage.ts';
import { expectSame } from './differences.ts';

/** Every cell, through the reading code and as it is stored: values by hour, day and group, and the fingerprints of all views. */
export async function expectCells(database: Database, plan: Plan, usage: ReferenceUsage): Promise<void> {
  for (const [name, series] of usage) {
    const [meter, subject] = JSON.parse(name) as [string, string];
    const ask = async (
      window: 'hour' | 'day' | 'none',
      groupBy: readonly string[] = [],
    ): Promise<readonly UsageRow[]> => {
      const range = { from: startOfDay(plan.from), to: startOfDay(plan.to) + MICROS_PER_DAY };
      const request = {
        namespace: NAMESPACE,
        meter,
        subjects: [subject],
        ...range,
        window,
        timezone: 'UTC',
        groupBy,
      };
      return (await readUsage(database, request)).rows;
    };
    for (const window of ['hour', 'day', 'none'] as const) {
      expectTotals(`${meter} of ${subject} by ${window}`, await ask(window), series);
    }
    const dimensions = Object.keys(series.meter.dimensions ?? {});
    if (dimensions.length > 0)
      expectGroups(`${meter} of ${subject} by group`, await ask('day', dimensions), series);
  }
  await expectFingerprints(database, usage);
}

const startOfDay = (at: number): number => Math.floor(at / MICROS_PER_DAY) * MICROS_PER_DAY;

function expectTotals(what: string, rows: readonly UsageRow[], series: ReferenceSeries): void {
  const found = new Map(rows.map(({ from, value }) => [String(from), value]));
  expectSame(
    what,
    found,
    new Map(rows.map(({ from, to }) => [String(from), referenceValue(series, { from, to })])),
  );
}

function expectGroups(what: string, rows: readonly UsageRow[], { events, meter }: ReferenceSeries): void {
  const names = Object.keys(meter.dimensions ?? {}).sort();
  const found = rows.map(({ from, group, value }): [string, string | null] => [
    `${from} ${JSON.stringify(names.map((name) => group?.[name]))}`,
    value,
  ]);
  const wanted = Map.groupBy(events, (event) => `${startOfDay(event.time)} ${groupOf(meter, event)}`);
  expectSame(what, new Map(found), new Map([...wanted].map(([name, some]) => [name, valueOf(meter, some)])));
}

const FINGERPRINT_DIGITS = 32;
const FINGERPRINTS = 1n << 128n;

/** What a cell is named by in the comparison. */
const cellName = (meter: string, subject: string, view: number, at: number, group: string): string =>
  JSON.stringify([meter, subject, view, at, group]);

async function expectFingerprints(database: Database, usage: ReferenceUsage): Promise<void> {
  const { rolledThrough } = await readCatalogueRow(database, NAMESPACE);
  const hours = new Map<string, string>();
  for await (const row of database.scan(usageHour, { prefix: [NAMESPACE] })) {
    const name = cellName(row.meter, row.subject, row.view, row.hour, row.group);
    const sum = BigInt(`0x${hours.get(name) ?? '0'}`) + BigInt(`0x${toHex(row.fingerprint)}`);
    // The slots of several writers add up.
    hours.set(name, (sum % FINGERPRINTS).toString(16).padStart(FINGERPRINT_DIGITS, '0'));
  }
  expectSame('fingerprints of hour cells', hours, referenceFingerprints(usage, 1));
  const days = new Map<string, string>();
  for await (const row of database.scan(usageDay, { prefix: [NAMESPACE] })) {
    if (row.day > rolledThrough) continue;
    days.set(cellName(row.meter, row.subject, row.view, row.day, row.group), toHex(row.fingerprint));
  }
  const inRolledDay = ({ time }: CountedEvent): boolean => time < (rolledThrough + 1) * MICROS_PER_DAY;
  expectSame('fingerprints of day cells', days, referenceFingerprints(usage, HOURS_PER_DAY, inRolledDay));
}

/** View 0 and, of meters with dimensions, view 1, in cells of so many hours. */
function referenceFingerprints(
  usage: ReferenceUsage,
  hours: number,
  counts: (event: CountedEvent) => boolean = () => true,
): Map<string, string> {
  const cells = new Map<string, CountedEvent[]>();
  for (const [name, series] of usage) {
    const [meter, subject] = JSON.parse(name) as [string, string];
    for (const [hour, events] of byHour(series)) {
      for (const event of events.filter(counts)) {
        const at = Math.floor(hour / hours);
        add(cells, cellName(meter, subject, 0, at, ''), event);
        if (series.meter.dimensions)
          add(cells, cellName(meter, subject, 1, at, groupOf(series.meter, event)), event);
      }
    }
  }
  return new Map([...cells].map(([name, events]) => [name, fingerprintOf(events)]));
}

function add(cells: Map<string, CountedEvent[]>, name: string, event: CountedEvent): void {
  const events = cells.get(name);
  if (events === undefined) cells.set(name, [event]);
  else events.push(event);
}
