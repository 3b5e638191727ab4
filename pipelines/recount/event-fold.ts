import { dayOf, hourOf, hourStart, MICROS_PER_MINUTE, dayStart, type HourIndex } from '#domain/instant.ts';
import { accumulate, type Aggregation, type Contribution } from '#domain/metering/accumulator.ts';
import { GROUP_VIEW, TOTAL_VIEW } from '#domain/metering/batch.ts';
import {
  addReferences,
  emptyDistinctValue,
  packMinutes,
  type DistinctValue,
} from '#domain/metering/distinct-value.ts';
import type { Effect } from '#domain/metering/effects.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { emptyHourCell, minuteOf, packHourCell, type HourCell } from '#domain/metering/hour-cell.ts';
import type { MeteredEvent } from '#infra/warehouse/metered-event.ts';
import { createMatcher, type RecountedMeter } from './match-events.ts';
import type { CountedBy, Recounted } from './recounted.ts';

/**
 * Events matched and folded where they are read, into cells and distinct values of one hour: what leaves the reader is a cell for some events
 * and not an event. Cells of one series and hour may leave it in pieces, which add up.
 */
export interface EventFold {
  /** The order of events decides in how many pieces a cell leaves, and nothing else; there are few where they come by their times. */
  add(events: readonly MeteredEvent[]): void;
  /** What is packed, and lets go of it. */
  take(): Recounted[];
  /** The same with all that is held. */
  end(): Recounted[];
}

/** What is held of one hour before it is packed whether or not the hour is over: memory does not grow with subjects and groups. */
const HELD_MAX = 20_000;

/** What a subject has in the hour. */
interface HeldSubject {
  readonly total: HourCell;
  readonly groups: Map<string, HourCell>;
  /** By the hash of the value and its group: a hash is of one length. */
  readonly values: Map<string, HeldValue>;
}

interface HeldValue {
  readonly group: string;
  readonly valueHash: Hash128;
  readonly minutes: DistinctValue;
}

type HeldSubjects = Map<string, HeldSubject>;

/** What is held of an hour, by whose cells it is in. */
interface HeldHour {
  readonly hour: HourIndex;
  readonly by: Readonly<Record<CountedBy, HeldSubjects>>;
  held: number;
}

const emptyHour = (hour: HourIndex): HeldHour => ({
  hour,
  by: { stream: new Map(), backfill: new Map() },
  held: 0,
});

export function createEventFold(of: RecountedMeter): EventFold {
  const { aggregation } = of.meter.definition;
  const match = createMatcher(of);
  let hour = emptyHour(0);
  let ready: Recounted[] = [];
  const pack = (next: HourIndex): void => {
    packHour(aggregation, hour, ready);
    hour = emptyHour(next);
  };
  const add = (event: MeteredEvent): void => {
    const found = match(event);
    if (found === undefined) return;
    const { subject, time } = event;
    const { by, matched } = found;
    if (matched.refusal) {
      // The stream would have refused it whole; it is counted elsewhere already, so here it is only told.
      ready.push({ kind: 'unmeasured', subject, time });
      return;
    }
    const at = hourOf(time);
    if (at !== hour.hour || hour.held >= HELD_MAX) pack(at);
    for (const effect of matched.effects) addEffect(hour, aggregation, { by, event, effect });
  };
  const take = (): Recounted[] => {
    const taken = ready;
    ready = [];
    return taken;
  };
  return {
    add: (events) => {
      for (const event of events) add(event);
    },
    take,
    end: () => {
      pack(hour.hour);
      return take();
    },
  };
}

interface CountedEffect {
  readonly by: CountedBy;
  readonly event: MeteredEvent;
  readonly effect: Effect;
}

function addEffect(hour: HeldHour, aggregation: Aggregation, { by, event, effect }: CountedEffect): void {
  const { subject, time, identity, digest } = event;
  const { value, group, distinct } = effect;
  const subjects = hour.by[by];
  let held = subjects.get(subject);
  if (held === undefined) {
    subjects.set(subject, (held = { total: emptyHourCell(), groups: new Map(), values: new Map() }));
    hour.held++;
  }
  const minute = Math.floor((time - hourStart(hour.hour)) / MICROS_PER_MINUTE);
  const contribution = { time, identity, digest, value };
  addToCell(held.total, aggregation, minute, contribution);
  if (group !== '') addToCell(groupOf(hour, held, group), aggregation, minute, contribution);
  if (distinct !== '') {
    const { minutes } = valueOf(hour, held, distinct, group);
    addReferences(minutes, Math.floor((time - dayStart(dayOf(time))) / MICROS_PER_MINUTE), 1);
  }
}

function addToCell(cell: HourCell, aggregation: Aggregation, minute: number, event: Contribution): void {
  accumulate(minuteOf(cell, minute), aggregation, event);
  accumulate(cell.totals, aggregation, event);
}

function groupOf(hour: HeldHour, { groups }: HeldSubject, group: string): HourCell {
  let cell = groups.get(group);
  if (cell === undefined) {
    groups.set(group, (cell = emptyHourCell()));
    hour.held++;
  }
  return cell;
}

function valueOf(hour: HeldHour, { values }: HeldSubject, valueHash: Hash128, group: string): HeldValue {
  const name = valueHash + group;
  let value = values.get(name);
  if (value === undefined) {
    values.set(name, (value = { group, valueHash, minutes: emptyDistinctValue() }));
    hour.held++;
  }
  return value;
}

/** Appends what is held of an hour, as plain data. */
function packHour(aggregation: Aggregation, { hour, by: owners }: HeldHour, to: Recounted[]): void {
  const day = dayOf(hourStart(hour));
  for (const by of ['stream', 'backfill'] as const)
    for (const [subject, { total, groups, values }] of owners[by]) {
      const of = { kind: 'hour', by, subject, hour } as const;
      to.push({ ...of, view: TOTAL_VIEW, group: '', cell: packHourCell(aggregation, total) });
      for (const [group, cell] of groups)
        to.push({ ...of, view: GROUP_VIEW, group, cell: packHourCell(aggregation, cell) });
      for (const { group, valueHash, minutes } of values.values())
        to.push({ kind: 'value', by, subject, day, group, valueHash, minutes: packMinutes(minutes) });
    }
}
