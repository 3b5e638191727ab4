import type { Instant } from '#domain/instant.ts';
import type { MeasuredUsage } from '#domain/invoicing/invoice-inputs.ts';
import { measuredBy } from '#domain/invoicing/measured-usage.ts';
import type { UsageNeeded } from '#domain/invoicing/usage-needed.ts';
import { accumulate, emptyAccumulator, type Accumulator } from '#domain/metering/accumulator.ts';
import { emptyFingerprint } from '#domain/metering/fingerprint.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { toDecimalString, toScaled } from '#domain/metering/quantity.ts';
import type { Dimensions } from '#domain/pricing/usage.ts';
import { divideHalfAwayFromZero } from '#domain/usage/division.ts';
import { NO_EVENTS } from '#domain/usage/measure-fingerprints.ts';
import { groupValues } from '#domain/usage/series.ts';
import { dimensionNames, dimensionsOf } from '#infra/rating/warehouse-event.ts';
import { contributedValue, ownedBy, subjectNames, type CountedEvent } from './counted-event.ts';
import type { EventReader } from './dispatch-events.ts';
import { createFingerprintSum, type FingerprintSum } from './fingerprint-sum.ts';
import { createLevelRecount } from './level-recount.ts';
import type { Levels } from './levels.ts';
import type { LineQuestion } from './line-question.ts';

/** Measures usage once more, from the events themselves and by nothing that cells are made with. */
export interface Recount extends EventReader {
  measured(): MeasuredUsage;
}

interface Measurement {
  readonly quantity: string;
  readonly fingerprint: string;
}

/** `levels` are those before the period, for what is measured over time. */
export function createRecount(line: LineQuestion, needs: UsageNeeded, levels: Levels): Recount {
  if (needs.kind === 'events') return recountEvents(line);
  const groupBy = groupByOf(line, needs);
  const of = measuredBy(line.meter);
  const groupOf = projection(dimensionNames(line.meter), groupBy ?? []);
  const { values, ...reader } =
    line.meter.definition.aggregation === 'timeWeightedSum'
      ? levelReader(line, levels, groupOf)
      : foldingReader(line, groupOf);
  const fingerprints = fingerprintsByGroup(groupOf, ownedBy(line.subjects));
  return {
    ...reader,
    take: (event, meter) => {
      reader.take(event, meter);
      fingerprints.take(event);
    },
    measured: () => {
      const total = (): Measurement => ({
        quantity: values().get('') ?? '0',
        fingerprint: fingerprints.of(''),
      });
      if (groupBy === undefined) return { ...of, kind: 'quantity', ...total() };
      // A price of no dimensions has one group, whatever was used.
      if (groupBy.length === 0) return { ...of, kind: 'groups', groups: [{ dimensions: {}, ...total() }] };
      const groups = [...values()].map(([group, quantity]) => ({
        dimensions: dimensionsOf(groupBy, group),
        quantity,
        fingerprint: fingerprints.of(group),
      }));
      return { ...of, kind: 'groups', groups };
    },
  };
}

/** Undefined where all usage is one quantity. */
function groupByOf({ meter }: LineQuestion, needs: UsageNeeded): readonly string[] | undefined {
  if (needs.kind !== 'groups') return undefined;
  return needs.dimensions === 'all' ? dimensionNames(meter) : needs.dimensions.toSorted();
}

/** From a meter's group to that of some of its dimensions; without any, all are one. */
function projection(names: readonly string[], kept: readonly string[]): (group: string) => string {
  if (kept.length === 0) return () => '';
  const places = kept.map((name) => names.indexOf(name));
  const known = new Map<string, string>();
  return (group) => {
    let projected = known.get(group);
    if (projected === undefined) {
      const values = groupValues(group, names.length);
      projected = JSON.stringify(places.map((at) => values[at]));
      known.set(group, projected);
    }
    return projected;
  };
}

/** Prices that judge each event get them as they are. */
function recountEvents(line: LineQuestion): Recount {
  const events: { value: string; dimensions?: Dimensions }[] = [];
  const sum = createFingerprintSum();
  return {
    line,
    take: (event, meter) => {
      sum.add(event.said.digest);
      events.push({
        value: contributedValue(meter, event),
        ...(meter.dimensions.length === 0
          ? {}
          : { dimensions: dimensionsOf(meter.dimensions, event.effect.group) }),
      });
    },
    measured: () => ({
      kind: 'events',
      meter: line.meter.key,
      meterVersion: line.meter.version,
      events,
      fingerprint: sum.text(),
    }),
  };
}

interface ValueReader extends EventReader {
  /** By group. */
  values(): Map<string, string>;
}

/** A level follows its subject through all time, also while it is somebody else's. */
function levelReader(line: LineQuestion, levels: Levels, groupOf: (group: string) => string): ValueReader {
  const recount = createLevelRecount(line.period, line.subjects, levels, groupOf);
  return {
    line: { ...line, subjects: subjectNames(line.subjects) },
    take: recount.take,
    values: recount.averages,
  };
}

interface GroupState {
  readonly accumulator: Accumulator;
  readonly distinct: Set<Hash128>;
}

function foldingReader(line: LineQuestion, groupOf: (group: string) => string): ValueReader {
  const { aggregation } = line.meter.definition;
  const states = new Map<string, GroupState>();
  return {
    line,
    take: ({ said: { time, identity }, effect }) => {
      const group = groupOf(effect.group);
      const state = states.get(group) ?? { accumulator: emptyAccumulator(), distinct: new Set() };
      states.set(group, state);
      // Identities only decide which of two events of one time is later: hex has their order.
      accumulate(state.accumulator, aggregation, { time, identity, digest: NO_DIGEST, value: effect.value });
      if (aggregation === 'unique') state.distinct.add(effect.distinct);
    },
    values: () => new Map([...states].map(([group, state]) => [group, valueOf(line, state)])),
  };
}

/** Fingerprints are summed apart, from what the warehouse itself has. */
const NO_DIGEST = emptyFingerprint();

function valueOf({ meter }: LineQuestion, { accumulator: { count, value }, distinct }: GroupState): string {
  switch (meter.definition.aggregation) {
    case 'count':
      return String(count);
    case 'unique':
      return String(distinct.size);
    case 'average':
      return toDecimalString(divideHalfAwayFromZero(toScaled(value), BigInt(count)));
    case 'sum':
    case 'min':
    case 'max':
    case 'latest':
    case 'timeWeightedSum':
      return toDecimalString(value);
  }
}

function fingerprintsByGroup(
  groupOf: (group: string) => string,
  owns: (subject: string, at: Instant) => boolean,
) {
  const sums = new Map<string, FingerprintSum>();
  return {
    take: ({ said: { subject, time, digest }, effect }: CountedEvent): void => {
      if (!owns(subject, time)) return;
      const group = groupOf(effect.group);
      const sum = sums.get(group) ?? createFingerprintSum();
      sums.set(group, sum);
      sum.add(digest);
    },
    of: (group: string): string => sums.get(group)?.text() ?? NO_EVENTS,
  };
}
