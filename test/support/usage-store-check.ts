import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { MICROS_PER_DAY, MICROS_PER_HOUR } from '#domain/instant.ts';
import type { Accumulator, Aggregation } from '#domain/metering/accumulator.ts';
import { unpackDayCell } from '#domain/metering/day-cell.ts';
import { unpackMinutes } from '#domain/metering/distinct-value.ts';
import { fingerprintToHash } from '#domain/metering/fingerprint.ts';
import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import { unpackHourCell } from '#domain/metering/hour-cell.ts';
import { toScaled } from '#domain/metering/quantity.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { backfilledValue, distinctValue, usageDay, usageHour } from '#infra/usage/tables.ts';
import { amountOf, dayIndex, hourIndex, minuteInDay, minuteInHour, viewsOf } from './usage-model.ts';
import type { Amount, ModelEffect, ModelMeter } from './usage-model.ts';

/*
 * Compares every usage row of a store with the model. Only the decoding of packed cells is borrowed from the code under test; rows of
 * several slots are put together here.
 */

/** Asked so often that an assertion is only made for what differs. */
function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual, what).to.deep.equal(expected);
}

type Rows = Pick<HostileDatabase, 'rows'>;

export interface UsageTruth {
  readonly meters: readonly ModelMeter[];
  /** Of all events that count now. */
  readonly effects: readonly ModelEffect[];
  /** Of all events that counted at any time, the voided ones among them. */
  readonly everCounted: readonly ModelEffect[];
  /** Identities that were voided at any time. */
  readonly everVoided: ReadonlySet<string>;
}

const EXTREMES: ReadonlySet<Aggregation> = new Set(['min', 'max', 'latest']);

interface SeriesRow {
  readonly subject: string;
  readonly meter: string;
  readonly generation: number;
  readonly view: number;
  readonly group: string;
}

const seriesName = ({ subject, meter, generation, view, group }: SeriesRow): string =>
  JSON.stringify([subject, meter, generation, view, group]);

function aggregationOf({ meters }: UsageTruth, { meter, generation }: SeriesRow): Aggregation {
  const found = meters.find((each) => each.key === meter && each.generation === generation);
  if (found === undefined) throw new Error(`cells of ${meter}@${generation}, which nobody saved`);
  return found.definition.aggregation;
}

/** Effects by the name of their series and whatever else `placeOf` says. */
function place(
  effects: readonly ModelEffect[],
  placeOf: (effect: ModelEffect) => string,
): Map<string, ModelEffect[]> {
  const placed = new Map<string, ModelEffect[]>();
  for (const effect of effects) {
    const { meter, counted } = effect;
    for (const { view, group } of viewsOf(effect)) {
      const series = {
        subject: counted.event.subject,
        meter: meter.key,
        generation: meter.generation,
        view,
        group,
      };
      const name = `${seriesName(series)} ${placeOf(effect)}`;
      placed.set(name, [...(placed.get(name) ?? []), effect]);
    }
  }
  return placed;
}

const minutePlace = ({ counted }: ModelEffect): string =>
  `${hourIndex(counted.time)} ${minuteInHour(counted.time)}`;
const dayPlace = ({ counted }: ModelEffect): string => String(dayIndex(counted.time));

const hashNumber = (hashed: string): bigint => BigInt(`0x${Buffer.from(hashed, 'latin1').toString('hex')}`);

function storedAmount(aggregation: Aggregation, from: Accumulator): Amount & { readonly order: string } {
  const measures = aggregation !== 'count' && aggregation !== 'unique';
  return {
    count: from.count,
    fingerprint: hashNumber(fingerprintToHash(from)),
    value: measures ? toScaled(from.value) : null,
    moment: aggregation === 'timeWeightedSum' ? toScaled(from.moment) : 0n,
    order: `${String(from.time).padStart(20, '0')}${from.identity}`,
  };
}

/** Two slots' parts of one minute, put together. */
function combine(
  aggregation: Aggregation,
  a: ReturnType<typeof storedAmount>,
  b: ReturnType<typeof storedAmount>,
) {
  const [low, high] = (a.value ?? 0n) < (b.value ?? 0n) ? [a, b] : [b, a];
  const chosen = aggregation === 'min' ? low : aggregation === 'max' ? high : a.order > b.order ? a : b;
  return {
    count: a.count + b.count,
    fingerprint: (a.fingerprint + b.fingerprint) % 2n ** 128n,
    value:
      a.value === null || b.value === null
        ? null
        : EXTREMES.has(aggregation)
          ? chosen.value
          : a.value + b.value,
    moment: a.moment + b.moment,
    order: chosen.order,
  };
}

interface StoredHours {
  /** Series, hour and minute -> what the slots hold together. */
  readonly minutes: Map<string, ReturnType<typeof storedAmount>>;
  /** Series and hour of the cells that wait to be recomputed. */
  readonly dirty: Set<string>;
}

function storedHours(store: Rows, truth: UsageTruth): StoredHours {
  const minutes = new Map<string, ReturnType<typeof storedAmount>>();
  const dirty = new Set<string>();
  for (const row of store.rows(usageHour)) {
    const aggregation = aggregationOf(truth, row);
    const cell = unpackHourCell(aggregation, row);
    const cellName = `${seriesName(row)} ${row.hour}`;
    if (row.dirty) dirty.add(cellName);
    let total: ReturnType<typeof storedAmount> | undefined;
    for (const [minute, accumulator] of cell.minutes) {
      const amount = storedAmount(aggregation, accumulator);
      total = total ? combine(aggregation, total, amount) : amount;
      const name = `${cellName} ${minute}`;
      const known = minutes.get(name);
      minutes.set(name, known ? combine(aggregation, known, amount) : amount);
    }
    const totals = storedAmount(aggregation, cell.totals);
    if (total === undefined)
      expect([totals.count, totals.fingerprint], `${cellName}: an empty cell`).to.deep.equal([0, 0n]);
    else
      expectSame(
        withoutOrder(totals),
        withoutOrder(total),
        `${cellName}: totals are the merge of the minutes`,
      );
  }
  return { minutes, dirty };
}

const withoutOrder = ({ count, fingerprint, value, moment }: Amount): Amount => ({
  count,
  fingerprint,
  value,
  moment,
});
/** Of a dirty cell the count and the fingerprint are exact all the same. */
const withoutValue = ({ count, fingerprint }: Amount) => ({ count, fingerprint });

/** Every minute of every hour cell is what the model says, and every event is in one; returns the dirty cells. */
function checkHours(store: Rows, truth: UsageTruth): ReadonlySet<string> {
  const { minutes, dirty } = storedHours(store, truth);
  const expected = place(truth.effects, minutePlace);
  expect([...minutes.keys()].sort(), 'the minutes of the hour cells').to.deep.equal(
    [...expected.keys()].sort(),
  );
  for (const [name, effects] of expected) {
    const [effect] = effects;
    const stored = minutes.get(name);
    if (effect === undefined || stored === undefined) throw new Error('the keys are the same');
    const hour = hourIndex(effect.counted.time) * MICROS_PER_HOUR;
    const amount = amountOf(effect.meter.definition.aggregation, effects, hour);
    const shown = dirty.has(name.slice(0, name.lastIndexOf(' '))) ? withoutValue : withoutOrder;
    expectSame(shown(stored), shown(amount), name);
  }
  return dirty;
}

/** Dirty is allowed only where a void took an extreme, or the latest, from a minute that it shared. */
function checkDirty(dirty: ReadonlySet<string>, { everCounted, everVoided }: UsageTruth): void {
  const shared = new Set<string>();
  for (const [name, effects] of place(everCounted, minutePlace)) {
    const voided = effects.some(({ counted }) => everVoided.has(counted.event.identity));
    const extreme = effects.some(({ meter }) => EXTREMES.has(meter.definition.aggregation));
    if (voided && extreme && effects.length > 1) shared.add(name.slice(0, name.lastIndexOf(' ')));
  }
  for (const name of dirty) expect(shared.has(name), `${name} is dirty for no reason`).to.equal(true);
}

/** Every day up to `rolledThrough` has its row, absolute, with the level it began with. */
export function checkDays(
  store: Rows,
  truth: UsageTruth,
  dirty: ReadonlySet<string>,
  rolledThrough: number,
): void {
  const expected = place(
    truth.effects.filter(({ counted }) => dayIndex(counted.time) <= rolledThrough),
    dayPlace,
  );
  const dirtyDays = new Set(Array.from(dirty, dayOfCell));
  const seen = new Set<string>();
  for (const row of store.rows(usageDay)) {
    if (row.day > rolledThrough) continue;
    const name = `${seriesName(row)} ${row.day}`;
    seen.add(name);
    const aggregation = aggregationOf(truth, row);
    const cell = unpackDayCell(aggregation, row);
    const amount = amountOf(aggregation, expected.get(name) ?? [], row.day * MICROS_PER_DAY);
    const exact = amount.count > 0 && !dirtyDays.has(name);
    const shown = exact || aggregation === 'timeWeightedSum' ? withoutOrder : withoutValue;
    expectSame(shown(storedAmount(aggregation, cell.totals)), shown(amount), `day ${name}`);
    expect(row.dirty, `day ${name} is dirty with its hours`).to.equal(dirtyDays.has(name));
    expect(toScaled(cell.carry), `carry of ${name}`).to.equal(levelBefore(truth, row));
  }
  for (const name of expected.keys()) expect(seen.has(name), `the day row ${name}`).to.equal(true);
}

function dayOfCell(name: string): string {
  const at = name.lastIndexOf(' ');
  return `${name.slice(0, at)} ${Math.floor(Number(name.slice(at + 1)) / 24)}`;
}

function levelBefore(truth: UsageTruth, row: SeriesRow & { readonly day: number }): bigint {
  if (aggregationOf(truth, row) !== 'timeWeightedSum') return 0n;
  return truth.effects
    .filter((effect) => {
      const { meter, counted } = effect;
      const ofMeter = meter.key === row.meter && meter.generation === row.generation;
      const ofView = viewsOf(effect).some(({ view, group }) => view === row.view && group === row.group);
      return ofMeter && ofView && counted.event.subject === row.subject && dayIndex(counted.time) < row.day;
    })
    .reduce((level, { value }) => level + value, 0n);
}

/** Every distinct value is there with its references and minutes, and no other. */
function checkDistinctValues(store: Rows, { effects }: UsageTruth): void {
  const expected = new Map<string, Map<number, number>>();
  for (const { meter, counted, group, distinct } of effects) {
    if (distinct === undefined) continue;
    const valueHash = hash('sha256', distinct, 'binary').slice(0, HASH128_BYTES);
    const name = JSON.stringify([
      counted.event.subject,
      meter.key,
      meter.generation,
      dayIndex(counted.time),
      group,
      valueHash,
    ]);
    const minutes = expected.get(name) ?? new Map<number, number>();
    const minute = minuteInDay(counted.time);
    expected.set(name, minutes.set(minute, (minutes.get(minute) ?? 0) + 1));
  }
  const stored = new Map<string, Map<number, number>>();
  // What a backfill counted lies apart, and a value may be in both.
  for (const row of [...store.rows(distinctValue), ...store.rows(backfilledValue)]) {
    const { minutes, references } = unpackMinutes(row.minutes);
    expect(row.references, 'references are those of the minutes').to.equal(references);
    const name = JSON.stringify([row.subject, row.meter, row.generation, row.day, row.group, row.valueHash]);
    const known = stored.get(name) ?? new Map<number, number>();
    for (const [minute, count] of minutes) known.set(minute, (known.get(minute) ?? 0) + count);
    stored.set(name, known);
  }
  const plain = (values: Map<string, Map<number, number>>) =>
    [...values]
      .map(([name, minutes]) => JSON.stringify([name, [...minutes].sort((a, b) => a[0] - b[0])]))
      .sort();
  expect(plain(stored), 'distinct values').to.deep.equal(plain(expected));
}

/** The whole usage of a store against the model. Day rows are checked up to `rolledThrough`. */
export function checkUsage(store: Rows, truth: UsageTruth, rolledThrough: number): void {
  const dirty = checkHours(store, truth);
  checkDirty(dirty, truth);
  checkDays(store, truth, dirty, rolledThrough);
  checkDistinctValues(store, truth);
}
