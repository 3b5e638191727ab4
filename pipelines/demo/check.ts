import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { parseEvent } from '#domain/metering/parse-event.ts';
import {
  fingerprintOf,
  addFingerprint,
  emptyFingerprint,
  fingerprintToHash,
} from '#domain/metering/fingerprint.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { TOTAL_VIEW } from '#domain/metering/batch.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { event, usageHour } from '#infra/usage/tables.ts';
import type { WarehouseRow } from '#infra/warehouse/warehouse.ts';
import type { DemoStores } from './backing.ts';
import { checkBills, type CheckedBill } from './bill-check.ts';
import { countConflicts, countDeadLetters, countEvents } from './count-stores.ts';
import { textOf, type DataSet, type Fact } from './data-set.ts';
import { contendersOf, countedFacts, countIndependently, type Counts, type Expected } from './expected.ts';
import { compareLimits, type LimitLine } from './quota-check.ts';
import type { ReservationStory } from './reservation-story.ts';
import type { Entrances } from './run.ts';

const { namespace } = LOCAL_FEED;

/** What the stores say, beside what was counted independently. */
export interface Found {
  readonly counted: number;
  readonly conflicts: number;
  readonly deadLetters: Counts;
  readonly usage: readonly UsageLine[];
  readonly limits: readonly LimitLine[];
  readonly bills: readonly CheckedBill[];
  /** The fingerprints of cells and of the warehouse's exact events, by meter: equal when nothing drifted. */
  readonly drift: readonly { readonly meter: string; readonly cells: string; readonly warehouse: string }[];
}

export interface UsageLine {
  readonly meter: string;
  readonly subject: string;
  readonly expected: string;
  readonly cells: string | null;
  readonly warehouse: string | null;
}

export interface Checked {
  readonly expected: Expected;
  readonly found: Found;
  readonly ok: boolean;
}

/** Everything that can be asked once a run is over, beside what it must be. */
export async function checkDataSet(
  run: Entrances & { readonly reservations: ReservationStory },
  dataSet: DataSet,
): Promise<Checked> {
  const { stores, client, answers, reservations } = run;
  const facts = countedFacts(dataSet.planned, await winnersOf(stores, dataSet));
  const expected = countIndependently(dataSet, facts);
  const [counted, conflicts, deadLetters] = await Promise.all([
    countEvents(stores),
    countConflicts(stores),
    countDeadLetters(stores),
  ]);
  const found = {
    counted,
    conflicts,
    deadLetters,
    usage: await compareUsage(stores, dataSet, expected),
    limits: await compareLimits(client, dataSet.catalogue, facts),
    bills: await checkBills(client, dataSet, facts),
    drift: await compareFingerprints(stores, dataSet),
  };
  const isTaken = answers.accepted === expected.sentOverHttp && isSame(answers.rejected, expected.rejected);
  return { expected, found, ok: isTaken && reservations.ok && isEqual(expected, found) };
}

const isEqual = (expected: Expected, found: Found): boolean =>
  found.counted === expected.distinct &&
  found.conflicts === expected.conflicts &&
  isSame(found.deadLetters, expected.deadLetters) &&
  found.usage.every(isEqualLine) &&
  found.limits.every((line) => line.used === line.expected) &&
  found.bills.every(({ different }) => different.length === 0) &&
  found.drift.every(({ cells, warehouse }) => cells === warehouse);

export const isEqualLine = ({ expected, cells, warehouse }: UsageLine): boolean =>
  cells === expected && warehouse === expected;

const isSame = (a: Counts, b: Counts): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

const sorted = (counts: Counts): [string, number][] =>
  Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));

/** Of contended identities the content whose digest stands in the event row: the first commit decided. */
async function winnersOf({ database }: DemoStores, { planned }: DataSet): Promise<Map<string, Fact>> {
  const winners = new Map<string, Fact>();
  for (const [name, facts] of contendersOf(planned)) {
    const parsed = facts.map((fact) => ({
      fact,
      event: parseEvent(namespace, {
        data: Buffer.from(textOf(fact)),
        attributes: {},
        publishTime: Date.parse(fact.time) * 1_000,
      }).event,
    }));
    const [row] = await database.read(event, [[parsed[0]?.event?.identity ?? '']]);
    const winner = parsed.find((each) => each.event?.digest === row?.digest);
    if (winner) winners.set(name, winner.fact);
  }
  return winners;
}

const instantOf = (text: string): number => parseRfc3339(text)?.at ?? 0;

async function compareUsage(
  stores: DemoStores,
  { catalogue, from, to }: DataSet,
  expected: Expected,
): Promise<UsageLine[]> {
  const lines: UsageLine[] = [];
  for (const [meter, { aggregation, value }] of Object.entries(catalogue.meters)) {
    const asked = {
      namespace,
      meter: `${meter}@1`,
      aggregation,
      from,
      to,
      window: 'none',
      ...(value === undefined ? {} : { value }),
    };
    const inWarehouse = await answersBySubject(
      stores.warehouse.query('usage_by_window', { ...asked, bySubject: true }),
    );
    for (const { subject, value: wanted } of expected.usage.filter((line) => line.meter === meter)) {
      const range = { from: instantOf(from), to: instantOf(to), window: 'none' as const, timezone: 'UTC' };
      const { rows } = await readUsage(stores.database, { namespace, meter, subjects: [subject], ...range });
      lines.push({
        meter,
        subject,
        expected: wanted,
        cells: rows[0]?.value ?? null,
        warehouse: inWarehouse.get(subject) ?? null,
      });
    }
  }
  return lines;
}

async function answersBySubject(rows: AsyncIterable<WarehouseRow>): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  for await (const row of rows) answers.set(String(row['subject']), String(row['value']));
  return answers;
}

/** The drift check: the sum of the digests of the events behind every cell, and behind the exact view of the warehouse. */
async function compareFingerprints(
  { database, warehouse }: DemoStores,
  { catalogue, from, to }: DataSet,
): Promise<Found['drift']> {
  const drift: { meter: string; cells: string; warehouse: string }[] = [];
  for (const meter of Object.keys(catalogue.meters)) {
    const inCells = emptyFingerprint();
    for await (const row of database.scan(usageHour, { prefix: [namespace] })) {
      if (row.meter === meter && row.view === TOTAL_VIEW)
        addFingerprint(inCells, fingerprintOf(row.fingerprint));
    }
    const inWarehouse = emptyFingerprint();
    for await (const row of warehouse.query('fingerprints', { namespace, meter: `${meter}@1`, from, to })) {
      addFingerprint(
        inWarehouse,
        fingerprintOf(Buffer.from(String(row['fingerprint']), 'hex').toString('latin1')),
      );
    }
    drift.push({
      meter,
      cells: toHex(fingerprintToHash(inCells)),
      warehouse: toHex(fingerprintToHash(inWarehouse)),
    });
  }
  return drift;
}
