import type { Aggregation } from '#domain/metering/accumulator.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE } from '#domain/instant.ts';

/*
 * What usage is, said a second time and as plainly as possible: a list of counted events, filtered and added up in BigInt. It shares
 * no folding, packing or merging with the code it judges; only the names of the meters and the reading of an event's attributes.
 */

/** An event that counts: what it said, when it happened, and the catalogue version it was committed with. */
export interface CountedEvent {
  readonly event: UsageEvent;
  readonly time: number;
  readonly catalogueVersion: number;
}

/** A published meter version, as far as counting goes. */
export interface ModelMeter {
  readonly key: string;
  readonly generation: number;
  readonly since: number;
  readonly definition: MeterDefinition;
  /** The UTC days of which it was told the events that were committed before it was there: [firstDay, endDay). */
  readonly backfilled?: { readonly firstDay: number; readonly endDay: number };
}

export interface ModelCatalogue {
  readonly meters: readonly ModelMeter[];
  /** What each filter expression means, told without CEL. */
  readonly filters: Readonly<Record<string, (data: ModelData) => boolean>>;
}
export type ModelData = Readonly<Record<string, string | undefined>>;

/** One event as one meter counts it. */
export interface ModelEffect {
  readonly meter: ModelMeter;
  readonly counted: CountedEvent;
  /** In units of 10^-18. */
  readonly value: bigint;
  readonly group: string;
  readonly distinct: string | undefined;
}

/** What a set of events amounts to. `value` and `moment` are in units of 10^-18; `value` is null where nothing was measured. */
export interface Amount {
  readonly count: number;
  readonly fingerprint: bigint;
  readonly value: bigint | null;
  readonly moment: bigint;
}

const SCALE = 10n ** 18n;
const DECIMALS = 18;
const TWO_TO_THE_128 = 2n ** 128n;

/** A decimal string in units of 10^-18; undefined when it is none. */
export function scaledOf(text: string): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) return undefined;
  const magnitude = BigInt(match[2] ?? '0') * SCALE + BigInt((match[3] ?? '').padEnd(DECIMALS, '0'));
  return match[1] === '-' ? -magnitude : magnitude;
}

export const dataOf = ({ data }: UsageEvent): ModelData => JSON.parse(data) as ModelData;

/** The meters that count an event of this kind in a catalogue version. */
const metersOf = (catalogue: ModelCatalogue, event: UsageEvent, version: number): ModelMeter[] =>
  passing(catalogue, event).filter(({ since }) => since <= version);

function passing({ meters, filters }: ModelCatalogue, event: UsageEvent): ModelMeter[] {
  return meters.filter(({ definition }) => {
    if (definition.eventType !== event.type) return false;
    if (definition.filter === undefined) return true;
    const passes = filters[definition.filter];
    if (passes === undefined) throw new Error(`the model does not know the filter ${definition.filter}`);
    return passes(dataOf(event));
  });
}

/** Why a catalogue version refuses an event; undefined when it does not. */
export function refusalOf(catalogue: ModelCatalogue, event: UsageEvent, version: number): string | undefined {
  const data = dataOf(event);
  for (const { definition } of metersOf(catalogue, event, version)) {
    if (definition.value === undefined) continue;
    const text = data[definition.value];
    if (text === undefined) return 'value_missing';
    if (definition.aggregation !== 'unique' && scaledOf(text) === undefined) return 'value_not_a_number';
  }
  return undefined;
}

export const effectsOf = (catalogue: ModelCatalogue, counted: CountedEvent): ModelEffect[] =>
  metersOf(catalogue, counted.event, counted.catalogueVersion).map((meter) => effectOn(meter, counted));

/** What backfills add to an event: the meters that were not there yet, where they can measure it at all. */
export function backfilledEffectsOf(catalogue: ModelCatalogue, counted: CountedEvent): ModelEffect[] {
  const day = dayIndex(counted.time);
  return passing(catalogue, counted.event)
    .filter(({ since, backfilled }) => {
      if (since <= counted.catalogueVersion || backfilled === undefined) return false;
      return day >= backfilled.firstDay && day < backfilled.endDay;
    })
    .filter((meter) => refusalOf({ ...catalogue, meters: [meter] }, counted.event, meter.since) === undefined)
    .map((meter) => effectOn(meter, counted));
}

function effectOn(meter: ModelMeter, counted: CountedEvent): ModelEffect {
  const data = dataOf(counted.event);
  const { aggregation, value, dimensions = {} } = meter.definition;
  const text = value === undefined ? undefined : data[value];
  const unique = aggregation === 'unique';
  const names = Object.keys(dimensions).sort();
  return {
    meter,
    counted,
    value: unique || text === undefined ? 0n : (scaledOf(text) ?? 0n),
    group: names.length === 0 ? '' : JSON.stringify(names.map((name) => data[dimensions[name] ?? ''] ?? '')),
    distinct: unique ? text : undefined,
  };
}

export const labelOf = ({ key, generation }: ModelMeter): string => `${key}@${generation}`;

const digestNumber = (digest: Hash128): bigint =>
  BigInt(`0x${Buffer.from(digest, 'latin1').toString('hex')}`);

/** Which of two events is the later: the identity decides between events of one microsecond. */
const laterFirst = (a: ModelEffect, b: ModelEffect): number =>
  b.counted.time - a.counted.time || (a.counted.event.identity < b.counted.event.identity ? 1 : -1);

function measured(aggregation: Aggregation, effects: readonly ModelEffect[]): bigint | null {
  const values = effects.map(({ value }) => value).sort((a, b) => (a < b ? -1 : Number(a > b)));
  switch (aggregation) {
    case 'count':
    case 'unique':
      return null;
    case 'sum':
    case 'average':
    case 'timeWeightedSum':
      return values.reduce((total, value) => total + value, 0n);
    case 'min':
      return values[0] ?? null;
    case 'max':
      return values.at(-1) ?? null;
    case 'latest':
      return effects.toSorted(laterFirst)[0]?.value ?? null;
  }
}

/** `start` is where the moments of a time-weighted sum are measured from: the beginning of the hour or of the day. */
export function amountOf(aggregation: Aggregation, effects: readonly ModelEffect[], start: number): Amount {
  const weighted = aggregation === 'timeWeightedSum';
  return {
    count: effects.length,
    fingerprint: effects.reduce(
      (sum, { counted }) => (sum + digestNumber(counted.event.digest)) % TWO_TO_THE_128,
      0n,
    ),
    value: measured(aggregation, effects),
    moment: weighted
      ? effects.reduce((sum, { value, counted }) => sum + value * BigInt(counted.time - start), 0n)
      : 0n,
  };
}

/** The cells that an effect falls into: the total, and its group where the meter has dimensions. */
export const viewsOf = ({ group }: ModelEffect): readonly { view: number; group: string }[] =>
  group === ''
    ? [{ view: 0, group: '' }]
    : [
        { view: 0, group: '' },
        { view: 1, group },
      ];

export const dayIndex = (time: number): number => Math.floor(time / MICROS_PER_DAY);
export const hourIndex = (time: number): number => Math.floor(time / MICROS_PER_HOUR);
export const minuteInHour = (time: number): number =>
  Math.floor((time % MICROS_PER_HOUR) / MICROS_PER_MINUTE);
export const minuteInDay = (time: number): number => Math.floor((time % MICROS_PER_DAY) / MICROS_PER_MINUTE);
