import { setImmediate } from 'node:timers/promises';
import type { TimeWindow } from '#domain/calendar/window.ts';
import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import { textOf } from '#infra/rating/warehouse-event.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import {
  countedEvent,
  groupSelector,
  metersToAsk,
  ownedBy,
  prepareMeter,
  saidEvent,
  subjectNames,
  type CountedEvent,
  type PreparedMeter,
  type SaidEvent,
} from './counted-event.ts';
import type { LineQuestion } from './line-question.ts';
import { meteredRows, METERS_PER_QUESTION, SUBJECTS_PER_QUESTION } from './metered-rows.ts';

/** Somebody who takes the events behind a line, one by one in the order of (time, identity). */
export interface EventReader {
  readonly line: LineQuestion;
  take(event: CountedEvent, meter: PreparedMeter): void;
}

export interface DispatchEvents {
  readonly namespace: string;
  readonly readers: readonly EventReader[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Hands each reader exactly the events behind its line. Readers that ask of alike times as of the same commit share a question to the warehouse, each of
 * whose rows is read once by each meter: thousands of invoices take some questions. Throws what the warehouse throws.
 */
export async function dispatchEvents(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, readers, signal }: DispatchEvents,
): Promise<void> {
  const prepare = meterPreparer(namespace);
  for (const batch of batchesOf(readers.map((reader) => place(reader, prepare)))) {
    const deliver = createDelivery(batch);
    const question = {
      namespace,
      period: hullOf(batch),
      at: batch[0]?.reader.line.at ?? 0,
      subjects: batch.flatMap(({ subjects }) => subjects),
      meters: metersToAsk(batch.map(({ meter }) => meter)),
    };
    let rows = 0;
    for await (const row of meteredRows(warehouse, question)) {
      deliver(row);
      if (++rows % ROWS_PER_TURN !== 0) continue;
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
}

/** So many rows take about a millisecond; others of the process get their turn after them. */
const ROWS_PER_TURN = 200;

interface PlacedReader {
  readonly reader: EventReader;
  readonly meter: PreparedMeter;
  readonly subjects: readonly string[];
}

/** Each version of a meter is made ready once. */
function meterPreparer(namespace: string): (line: LineQuestion) => PreparedMeter {
  const known = new Map<string, PreparedMeter>();
  return ({ meter }) => {
    const name = `${meter.key} ${meter.version}`;
    let prepared = known.get(name);
    if (prepared === undefined) known.set(name, (prepared = prepareMeter(namespace, meter)));
    return prepared;
  };
}

const place = (reader: EventReader, prepare: (line: LineQuestion) => PreparedMeter): PlacedReader => ({
  reader,
  meter: prepare(reader.line),
  subjects: subjectNames(reader.line.subjects),
});

/** Readers that share a question: as of one commit, of times that are alike, and of no more subjects and meters than it may name. */
function* batchesOf(readers: readonly PlacedReader[]): Generator<readonly PlacedReader[], void> {
  const asking = readers.filter(({ subjects }) => subjects.length > 0);
  const alike = Map.groupBy(asking, ({ reader: { line } }) => `${line.at} ${lengthClass(line.period)}`);
  for (const ofTime of alike.values()) for (const together of cutByTime(ofTime)) yield* cutByNames(together);
}

/** Periods of one class are at most twice as long as each other. */
const lengthClass = ({ from, to }: TimeWindow): number => Math.floor(Math.log2(Math.max(to - from, 1)));

/** Time that two readers' periods may lie apart, so that none reads much that only others want. */
const startsWithin = ({ from, to }: TimeWindow): Instant => from + Math.max(to - from, MICROS_PER_DAY) / 2;

function cutByTime(readers: readonly PlacedReader[]): PlacedReader[][] {
  const cuts: PlacedReader[][] = [];
  let within = -Infinity;
  for (const each of readers.toSorted((a, b) => a.reader.line.period.from - b.reader.line.period.from)) {
    const { period } = each.reader.line;
    const last = cuts.at(-1);
    if (last !== undefined && period.from <= within) last.push(each);
    else {
      cuts.push([each]);
      within = startsWithin(period);
    }
  }
  return cuts;
}

/** By subject, since the events of one lie together. A reader of more subjects than one question may name is one by itself. */
function* cutByNames(readers: readonly PlacedReader[]): Generator<readonly PlacedReader[], void> {
  let batch: PlacedReader[] = [];
  const [subjects, meters] = [new Set<string>(), new Set<string>()];
  for (const each of readers.toSorted((a, b) => compareTexts(a.subjects[0], b.subjects[0]))) {
    const more = each.subjects.filter((subject) => !subjects.has(subject)).length;
    const isFull =
      subjects.size + more > SUBJECTS_PER_QUESTION ||
      (meters.size >= METERS_PER_QUESTION && !meters.has(each.meter.label));
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      subjects.clear();
      meters.clear();
    }
    batch.push(each);
    for (const subject of each.subjects) subjects.add(subject);
    meters.add(each.meter.label);
  }
  if (batch.length > 0) yield batch;
}

const compareTexts = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);

function hullOf(batch: readonly PlacedReader[]): TimeWindow {
  const periods = batch.map(({ reader }) => reader.line.period);
  return {
    from: periods.reduce((least, { from }) => Math.min(least, from), Infinity),
    to: periods.reduce((greatest, { to }) => Math.max(greatest, to), -Infinity),
  };
}

interface Recipient {
  readonly reader: EventReader;
  readonly owns: (subject: string, at: Instant) => boolean;
  readonly isOfGroup: (event: CountedEvent) => boolean;
}

/** Who asks for one subject's events of one meter. */
interface Recipients {
  readonly meter: PreparedMeter;
  readonly all: Recipient[];
}

/** Finds who takes an event by its subject and its meters, and reads it once for each meter that somebody asks about. */
function createDelivery(batch: readonly PlacedReader[]): (row: WarehouseRow) => void {
  const bySubject = new Map<string, Recipients[]>();
  for (const { reader, meter, subjects } of batch) {
    const { line } = reader;
    const recipient = {
      reader,
      owns: ownedBy(line.subjects),
      isOfGroup: groupSelector(meter, line.dimensions),
    };
    for (const subject of subjects) {
      const ofSubject = bySubject.get(subject) ?? [];
      bySubject.set(subject, ofSubject);
      const ofMeter = ofSubject.find((each) => each.meter === meter);
      if (ofMeter) ofMeter.all.push(recipient);
      else ofSubject.push({ meter, all: [recipient] });
    }
  }
  return (row) => {
    const ofSubject = bySubject.get(textOf(row, 'subject'));
    if (ofSubject === undefined) return;
    const said = saidEvent(row);
    for (const recipients of ofSubject) if (recipients.meter.isInCells(row)) deliver(recipients, said);
  };
}

function deliver({ meter, all }: Recipients, said: SaidEvent): void {
  let event: CountedEvent | undefined;
  for (const recipient of all) {
    if (!asksFor(recipient, said)) continue;
    event ??= countedEvent(meter, said);
    if (event === undefined) return;
    if (recipient.isOfGroup(event)) recipient.reader.take(event, meter);
  }
}

const asksFor = ({ reader: { line }, owns }: Recipient, { subject, time }: SaidEvent): boolean =>
  time >= line.period.from && time < line.period.to && owns(subject, time);
