import { expect } from 'chai';
import { compilePeriod } from '#domain/entitlements/limit.ts';
import { periodAt } from '#domain/calendar/period.ts';
import { firstStepAt, stepOf, unpackRolling } from '#domain/entitlements/rolling.ts';
import { MICROS_PER_HOUR, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import { unpackHourCell } from '#domain/metering/hour-cell.ts';
import { toHex } from '#domain/metering/hash128.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { meterVersion } from '#infra/catalogue/tables.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import type { Table } from '#infra/database/table.ts';
import { customerLimits, hold, holdCount, limitRow, type StoredLimit } from '#infra/entitlements/tables.ts';
import { event, subject, usageHour, type Row } from '#infra/usage/tables.ts';
import type { Granted } from './quota-tasks.ts';

/*
 * Judges quotas by what they are made from, at any commit of the run: hour cells, intervals of ownership and holds. The way of the code
 * under test, which changes rows by what each event adds, is not gone again.
 */

interface QuotaState {
  readonly limits: readonly Row<typeof customerLimits>[];
  readonly rows: readonly Row<typeof limitRow>[];
  readonly holds: readonly Row<typeof hold>[];
  readonly counts: readonly Row<typeof holdCount>[];
  readonly subjects: readonly Row<typeof subject>[];
  readonly cells: readonly Row<typeof usageHour>[];
  readonly versions: readonly Row<typeof meterVersion>[];
}

/** Everything about quotas, as of one commit. */
async function stateAt(database: HostileDatabase, at: Instant): Promise<QuotaState> {
  const all = <Shape extends object>(table: Table<Shape>): Promise<Shape[]> =>
    Array.fromAsync(database.scan(table, { prefix: [] }, { at }));
  return {
    limits: await all(customerLimits),
    rows: await all(limitRow),
    holds: await all(hold),
    counts: await all(holdCount),
    subjects: await all(subject),
    cells: await all(usageHour),
    versions: await all(meterVersion),
  };
}

type Limits = Row<typeof customerLimits>;

const HELD = new Set(['open', 'pending']);

/** What the customer used, by generation and minute, from the cells. */
function usedMinutes(
  state: QuotaState,
  { customer, meter }: Limits,
): { generation: number; at: Instant; value: number }[] {
  const used: { generation: number; at: Instant; value: number }[] = [];
  for (const row of state.cells) {
    if (row.meter !== meter || row.view !== 0) continue;
    const version = state.versions.find((each) => each.key === meter && each.generation === row.generation);
    const aggregation = (version?.definition as MeterVersion['definition']).aggregation;
    const intervals = state.subjects.find((each) => each.subject === row.subject)?.customers ?? [];
    for (const [minute, { count, value }] of unpackHourCell(aggregation, row).minutes) {
      const at = row.hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE;
      const owner = intervals.findLast(({ from }) => from <= at)?.customer;
      if (owner === customer)
        used.push({ generation: row.generation, at, value: aggregation === 'count' ? count : Number(value) });
    }
  }
  return used;
}

/** Sums that are 0 are as good as absent. */
const withoutZeros = (sums: Map<string, number>): Record<string, number> =>
  Object.fromEntries([...sums].filter(([, sum]) => sum !== 0).sort(([a], [b]) => (a < b ? -1 : 1)));

function addTo(sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value);
}

/** Used and held of each row that counts, as they are stored. */
function storedSums(state: QuotaState, of: Limits, limit: StoredLimit) {
  const [used, held] = [new Map<string, number>(), new Map<string, number>()];
  const rows = state.rows.filter(
    (row) =>
      row.customer === of.customer &&
      row.feature === of.feature &&
      row.limitKey === limit.key &&
      row.version === limit.version &&
      (row.periodEnd === null || row.periodStart >= limit.since),
  );
  for (const row of rows) {
    addTo(held, String(row.periodStart), Number(row.held));
    for (const [generation, value] of Object.entries(row.used))
      addTo(used, `${generation} ${row.periodStart}`, Number(value));
    if (row.steps.length > 0)
      for (const [generation, steps] of unpackRolling(row.steps).generations)
        for (const [step, value] of steps) addTo(used, `${generation} ${step}`, Number(value));
  }
  return { used, held, rows };
}

/** The same from cells and holds. */
function expectedSums(state: QuotaState, of: Limits, limit: StoredLimit, floor: number) {
  const [used, held] = [new Map<string, number>(), new Map<string, number>()];
  const period = compilePeriod(limit.period);
  const start = (at: Instant): number => (period.kind === 'every' ? periodAt(period.rule, at).from : 0);
  for (const { generation, at, value } of usedMinutes(state, of)) {
    const place = period.kind === 'every' ? start(at) : stepOf(period.window, at);
    if (period.kind === 'every' ? place >= limit.since : place >= floor)
      addTo(used, `${generation} ${place}`, value);
  }
  for (const each of state.holds) {
    if (!HELD.has(each.state) || each.customer !== of.customer || each.feature !== of.feature) continue;
    if (period.kind === 'every' && start(each.heldAt) < limit.since) continue;
    addTo(held, String(start(each.heldAt)), Number(each.held));
  }
  return { used, held };
}

/** Used equals the cells, held equals the holds, and every subject of a customer with hard limits is watched. */
export async function checkQuotas(database: HostileDatabase, at: Instant): Promise<void> {
  const state = await stateAt(database, at);
  for (const of of state.limits) {
    for (const limit of of.limits.filter(({ overage }) => overage === 'hard')) {
      const name = `${of.customer} ${of.feature} ${limit.key} at ${at}`;
      const stored = storedSums(state, of, limit);
      const steps = stored.rows.find(({ periodEnd }) => periodEnd === null)?.steps;
      const floor = steps === undefined ? 0 : unpackRolling(steps).floor;
      const expected = expectedSums(state, of, limit, floor);
      expect(withoutZeros(stored.used), `used of ${name}`).to.deep.equal(withoutZeros(expected.used));
      expect(withoutZeros(stored.held), `held of ${name}`).to.deep.equal(withoutZeros(expected.held));
    }
  }
  checkWatched(state);
  checkCounts(state);
}

/**
 * While limits stay as they are, a hold ends with the commit of its event: none is held whose event counts for a customer that has a hard
 * limit. (Where no limit watched the subject, the upkeep finds the event later.)
 */
export async function checkSettled(database: HostileDatabase, at: Instant): Promise<void> {
  const { holds, limits, subjects } = await stateAt(database, at);
  const hard = new Set(limits.filter(({ hasHard }) => hasHard).map(({ customer }) => customer));
  const events = await database.read(
    event,
    holds.map(({ identity }) => [identity]),
    { at },
  );
  holds.forEach(({ identity, state }, index) => {
    const row = events[index];
    if (row?.state !== 'live') return;
    const intervals = subjects.find((each) => each.subject === row.subject)?.customers ?? [];
    const owner = intervals.findLast(({ from }) => from <= row.time)?.customer;
    if (owner != null && hard.has(owner))
      expect(
        HELD.has(state),
        `the hold ${toHex(identity)} at ${at} is over, as its event is committed`,
      ).to.equal(false);
  });
}

function checkWatched({ limits, subjects }: QuotaState): void {
  const hard = new Set(limits.filter(({ hasHard }) => hasHard).map(({ customer }) => customer));
  for (const { subject: name, customers, hasLimits } of subjects) {
    const watched = customers.some(({ customer }) => customer !== null && hard.has(customer));
    if (watched) expect(hasLimits, `${name} is watched`).to.equal(true);
  }
}

function checkCounts({ holds, counts }: QuotaState): void {
  for (const { customer, feature, holds: counted } of counts) {
    const own = holds.filter(
      (each) => HELD.has(each.state) && each.customer === customer && each.feature === feature,
    );
    expect(counted, `the holds of ${customer} on ${feature}`).to.equal(own.length);
  }
}

/** At the commit that granted a hold nothing was held beyond any hard limit that it is held in. */
export async function checkGrant(database: HostileDatabase, of: Granted): Promise<void> {
  const { grantedAt: at, customer, feature } = of;
  const state = await stateAt(database, at);
  const granted = state.holds.find((each) => toHex(each.identity) === of.id);
  expect(granted?.grantedAt, `the hold ${of.id} is on record when it is granted`).to.be.at.most(at);
  if (granted?.grantedAt !== at) return;
  const limits = state.limits.find((each) => each.customer === customer && each.feature === feature);
  const active = state.versions.find((each) => each.key === limits?.meter && each.state === 'active');
  for (const limit of limits?.limits.filter(({ overage }) => overage === 'hard') ?? []) {
    const period = compilePeriod(limit.period);
    const start =
      period.kind === 'every' ? periodAt(period.rule, Math.max(granted.heldAt, limit.since)).from : 0;
    const { used, held } = expectedSums(state, limits as Limits, limit, 0);
    const first = period.kind === 'rolling' ? firstStepAt(period.window, granted.heldAt) : start;
    let sum = held.get(String(start)) ?? 0;
    for (const [name, value] of used) {
      const [generation, place] = name.split(' ').map(Number);
      const counts = period.kind === 'rolling' ? (place ?? 0) >= first : place === start;
      if (generation === active?.generation && counts) sum += value;
    }
    expect(sum, `used and held of ${customer} ${feature} ${limit.key} at a grant`).to.be.at.most(
      Number(limit.amount),
    );
  }
}

/** When all is over nothing is held any more, and each hold ended as its event says. */
export function checkEnds(database: HostileDatabase): void {
  const events = new Map(database.rows(event).map((row) => [row.identity, row]));
  for (const { identity, state, closedAt } of database.rows(hold)) {
    const name = toHex(identity);
    expect(state, `the hold ${name}`).to.be.oneOf(['settled', 'released', 'lapsed']);
    const row = events.get(identity);
    if (state === 'settled') expect(row, `the event that settled ${name}`).to.not.equal(undefined);
    if (state === 'lapsed' && row !== undefined)
      expect(row.committedAt, `the event of ${name}, which lapsed`).to.be.at.least(closedAt ?? 0);
  }
  for (const { holds } of database.rows(holdCount)) expect(holds).to.equal(0);
}
