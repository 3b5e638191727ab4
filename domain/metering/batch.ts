import {
  dayOf,
  hourOf,
  minuteOfHour,
  MICROS_PER_MINUTE,
  dayStart,
  type DayIndex,
  type HourIndex,
} from '../instant.ts';
import { accumulate, emptyAccumulator, type Accumulator } from './accumulator.ts';
import type { CompiledMeter } from './catalogue.ts';
import { addReferences, emptyDistinctValue, type DistinctValue } from './distinct-value.ts';
import type { Effect } from './effects.ts';
import type { UsageEvent } from './event.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Hash128 } from './hash128.ts';
import { createIdentityPlaces } from './identity-places.ts';
import type { Quantity } from './quantity.ts';

/** View 0 is the total and kept always; view 1 holds the groups of a meter with dimensions. */
export const TOTAL_VIEW = 0;
export const GROUP_VIEW = 1;

/** One delivered copy of an event, with what it does. */
export interface Copy {
  readonly event: UsageEvent;
  readonly effects: readonly Effect[];
  /** Decides, after the publish time, which copy of an identity in one batch came first. */
  readonly messageId: string;
}

/** An hour cell that a batch may touch, and what the batch adds to it: nothing until events are applied. */
export interface CellChange {
  readonly namespace: string;
  readonly subject: string;
  readonly meter: CompiledMeter;
  readonly view: number;
  readonly hour: HourIndex;
  readonly group: string;
  /** Minute of the hour and what the batch's events in it amount to, rising. Mostly few, so a list serves better than a map. */
  readonly minutes: { readonly minute: number; readonly accumulator: Accumulator }[];
}

export interface DistinctChange {
  readonly namespace: string;
  readonly subject: string;
  readonly meter: CompiledMeter;
  readonly day: DayIndex;
  readonly group: string;
  readonly valueHash: Hash128;
  readonly change: DistinctValue;
}

/** The copies of one identity in a batch, the first first. */
export interface Candidate {
  readonly first: Copy;
  /** Later copies, in order; mostly none. */
  readonly others: readonly Copy[];
}

/** The state a batch must read before it can be planned, and the places its effects will be folded into. */
export interface Batch {
  readonly candidates: readonly Candidate[];
  readonly cells: readonly CellChange[];
  readonly distincts: readonly DistinctChange[];
  readonly subjects: readonly { readonly namespace: string; readonly subject: string }[];
  /** Folds the effects of a candidate's first copy into its cells: called for those that turn out to be new. */
  apply(index: number): void;
}

/** First copies by (publish time, message id): a rule that needs no clock and that every worker applies alike. */
const byArrival = (a: Copy, b: Copy): number =>
  a.event.publishTime - b.event.publishTime ||
  (a.messageId < b.messageId ? -1 : a.messageId > b.messageId ? 1 : 0);

export function groupByIdentity(copies: readonly Copy[]): Candidate[] {
  const places = createIdentityPlaces(copies.length);
  const candidates: { first: Copy; others: Copy[] }[] = [];
  for (const copy of copies) {
    const candidate = candidates[places.placeOf(copy.event.identity)];
    if (candidate === undefined) candidates.push({ first: copy, others: NO_COPIES });
    else if (candidate.others === NO_COPIES) candidate.others = [copy];
    else candidate.others.push(copy);
  }
  for (const candidate of candidates) if (candidate.others !== NO_COPIES) putInOrder(candidate);
  return candidates;
}

/** Once at the end: a retry storm may bring thousands of copies of one identity. */
function putInOrder(candidate: { first: Copy; others: Copy[] }): void {
  const [first = candidate.first, ...others] = [candidate.first, ...candidate.others].sort(byArrival);
  candidate.first = first;
  candidate.others = others;
}

const NO_COPIES: Copy[] = [];

/** Up to so many cells of one subject are looked through in turn, which beats a map; beyond, they are looked up by name. */
const CELLS_LOOKED_THROUGH_MAX = 12;

/** What is known of one subject while a batch is laid out. */
interface SubjectChanges {
  readonly cells: CellChange[];
  /** By name, from the moment there are many. */
  byName: Map<string, CellChange> | undefined;
  distincts: Map<string, DistinctChange> | undefined;
}

/** What a batch is laid out into while its candidates are gone through. */
interface Layout {
  readonly cells: CellChange[];
  readonly distincts: DistinctChange[];
  readonly subjects: { readonly namespace: string; readonly subject: string }[];
  readonly byNamespace: Map<string, Map<string, SubjectChanges>>;
  /** The cells of every candidate one after another: of each effect the total and, with dimensions, the group. */
  readonly targets: CellChange[];
  /** Where in `targets` a candidate's cells begin. */
  readonly targetsAt: Int32Array;
  /** Few meters are `unique`, so these are kept by candidate. */
  readonly distinctTargets: Map<number, DistinctChange[]>;
}

/**
 * Lays out where the effects of a batch go, so that everything it touches can be read in one trip; the folding itself waits until it
 * is known which events are new.
 */
export function layOut(candidates: readonly Candidate[]): Batch {
  const layout: Layout = {
    cells: [],
    distincts: [],
    subjects: [],
    byNamespace: new Map(),
    targets: [],
    targetsAt: new Int32Array(candidates.length),
    distinctTargets: new Map(),
  };
  candidates.forEach(({ first }, index) => place(layout, first, index));
  const apply = (index: number): void => {
    const candidate = candidates[index];
    if (candidate === undefined) throw new RangeError(`no candidate ${index}`);
    foldInto(layout.targets, layout.targetsAt[index] ?? 0, candidate.first);
    for (const distinct of layout.distinctTargets.get(index) ?? []) {
      addReferences(distinct.change, minuteOfDay(candidate.first.event), 1);
    }
  };
  const { cells, distincts, subjects } = layout;
  return { candidates, cells, distincts, subjects, apply };
}

/** Finds or makes the cells of one candidate. */
function place(layout: Layout, { event, effects }: Copy, index: number): void {
  const changes = changesOf(layout, event);
  const hour = hourOf(event.time);
  layout.targetsAt[index] = layout.targets.length;
  for (const effect of effects) {
    layout.targets.push(
      lookThrough(changes, effect.meter, hour, '') ??
        cellOf(layout, changes, nameCell(event, effect, hour, '')),
    );
    if (effect.group !== '')
      layout.targets.push(
        lookThrough(changes, effect.meter, hour, effect.group) ??
          cellOf(layout, changes, nameCell(event, effect, hour, effect.group)),
      );
    if (effect.distinct !== '') placeDistinct(layout, changes, { event, effect, index });
  }
}

function changesOf(layout: Layout, { namespace, subject }: UsageEvent): SubjectChanges {
  let bySubject = layout.byNamespace.get(namespace);
  if (bySubject === undefined) {
    bySubject = new Map();
    layout.byNamespace.set(namespace, bySubject);
  }
  let changes = bySubject.get(subject);
  if (changes === undefined) {
    changes = { cells: [], byName: undefined, distincts: undefined };
    bySubject.set(subject, changes);
    layout.subjects.push({ namespace, subject });
  }
  return changes;
}

const minuteOfDay = ({ time }: UsageEvent): number =>
  Math.floor((time - dayStart(dayOf(time))) / MICROS_PER_MINUTE);

type CellName = Omit<CellChange, 'minutes'>;

const nameCell = (
  { namespace, subject }: UsageEvent,
  { meter }: Effect,
  hour: HourIndex,
  group: string,
): CellName => ({ namespace, subject, meter, view: group === '' ? TOTAL_VIEW : GROUP_VIEW, hour, group });

function cellOf(layout: Layout, changes: SubjectChanges, name: CellName): CellChange {
  const known = changes.byName?.get(nameOf(name));
  if (known !== undefined) return known;
  const { namespace, subject, meter, view, hour, group } = name;
  const cell: CellChange = { namespace, subject, meter, view, hour, group, minutes: [] };
  changes.cells.push(cell);
  layout.cells.push(cell);
  if (changes.byName) changes.byName.set(nameOf(cell), cell);
  else if (changes.cells.length > CELLS_LOOKED_THROUGH_MAX) {
    changes.byName = new Map(changes.cells.map((each) => [nameOf(each), each]));
  }
  return cell;
}

const nameOf = ({ meter, view, hour, group }: CellName): string =>
  `${meter.label}\0${view}\0${hour}\0${group}`;

/**
 * From the end: an event's hour is mostly the one of the event before it. The group tells the view, as no group is named by the empty
 * string. Undefined too where there are so many cells that they are looked up by name.
 */
function lookThrough(
  { cells, byName }: SubjectChanges,
  meter: CompiledMeter,
  hour: HourIndex,
  group: string,
): CellChange | undefined {
  if (byName !== undefined) return undefined;
  for (let i = cells.length - 1; i >= 0; i--) {
    const cell = cells[i];
    if (cell?.hour === hour && cell.meter === meter && cell.group === group) return cell;
  }
  return undefined;
}

function placeDistinct(
  layout: Layout,
  changes: SubjectChanges,
  { event, effect, index }: { event: UsageEvent; effect: Effect; index: number },
): void {
  const { meter, group, distinct } = effect;
  const day = dayOf(event.time);
  const key = `${meter.label}\0${day}\0${group}\0${distinct}`;
  changes.distincts ??= new Map();
  let change = changes.distincts.get(key);
  if (change === undefined) {
    const { namespace, subject } = event;
    change = { namespace, subject, meter, day, group, valueHash: distinct, change: emptyDistinctValue() };
    changes.distincts.set(key, change);
    layout.distincts.push(change);
  }
  const named = layout.distinctTargets.get(index);
  if (named) named.push(change);
  else layout.distinctTargets.set(index, [change]);
}

/** Adds an event to its cells, which stand in the order of its effects from `at` on. */
function foldInto(targets: readonly CellChange[], at: number, { event, effects }: Copy): void {
  const minute = minuteOfHour(event.time);
  // One record for all effects, since the accumulators copy what they need.
  const contribution = {
    time: event.time,
    identity: event.identity,
    digest: fingerprintOf(event.digest),
    value: 0 as Quantity,
  };
  let next = at;
  for (const { meter, value, group } of effects) {
    contribution.value = value;
    for (let views = group === '' ? 1 : 2; views > 0; views--) {
      const cell = targets[next++];
      if (cell !== undefined) accumulate(minuteOfChange(cell, minute), meter.aggregation, contribution);
    }
  }
}

function minuteOfChange(cell: CellChange, minute: number): Accumulator {
  const { minutes } = cell;
  // From the end, since events come mostly in the order of their times.
  let at = minutes.length;
  while (at > 0 && (minutes[at - 1]?.minute ?? 0) > minute) at--;
  const before = minutes[at - 1];
  if (before?.minute === minute) return before.accumulator;
  const accumulator = emptyAccumulator();
  if (at === minutes.length) minutes.push({ minute, accumulator });
  else minutes.splice(at, 0, { minute, accumulator });
  return accumulator;
}
