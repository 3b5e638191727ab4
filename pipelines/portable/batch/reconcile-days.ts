import type { DayIndex, Instant } from '#domain/instant.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { shardOf, shardsFor } from '#infra/backfill/parts.ts';
import type { Database } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { readSubjects } from '#infra/reconcile/read-subjects.ts';
import { readReconciliation, type ReconciliationName } from '#infra/reconcile/reconciliations.ts';
import type { SubjectShard } from '#infra/warehouse/questions/event-scope.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import { emptyReport } from '#pipelines/reconcile/report-day.ts';
import { awaitView } from '#pipelines/recount/await-view.ts';
import { eventsByDay } from '#pipelines/recount/count-days.ts';
import { readCorrectedOfDay, readEvents } from '#pipelines/recount/read-events.ts';
import type { RecountedMeter } from '#pipelines/recount/match-events.ts';
import { createControlledReading } from './controlled-reading.ts';
import type { DayTally } from './day-tally.ts';
import type { ReadBatch } from './read-batch.ts';
import { batchRuntime } from './runtime.ts';
import { packStored } from './stored-on-wire.ts';

/** Which days of which reconciliation a job compares: [firstDay, endDay), for the worker that has it. */
export interface SpanOfDays extends ReconciliationName {
  readonly worker: string;
  readonly firstDay: DayIndex;
  readonly endDay: DayIndex;
}

/** A day, or a shard of its subjects, that is read in one go. */
export interface DayToCompare extends SubjectShard {
  readonly day: DayIndex;
}

export const nameOfDay = ({ day, shard }: DayToCompare): string => `${day} ${shard}`;

/** The days of the span, each cut as finely as it has events. */
export class ListDays implements AsyncDoFn<unknown, DayToCompare> {
  readonly runtimeName: string;
  readonly span: SpanOfDays;
  readonly meter: MeterVersion;

  constructor(runtimeName: string, span: SpanOfDays, meter: MeterVersion) {
    this.runtimeName = runtimeName;
    this.span = span;
    this.meter = meter;
  }

  async process(): Promise<DayToCompare[]> {
    const { warehouse } = await batchRuntime(this.runtimeName);
    const { namespace, firstDay, endDay } = this.span;
    const type = this.meter.definition.eventType;
    const events = await eventsByDay(warehouse, { namespace, type, firstDay, endDay });
    const days = Array.from({ length: endDay - firstDay }, (_, place) => firstDay + place);
    return days.flatMap((day) => {
      const shards = shardsFor(events.get(day) ?? 0);
      return Array.from({ length: shards }, (_, shard) => ({ day, shard, shards }));
    });
  }
}

type Cells = Awaited<ReturnType<typeof readCells>>;

/**
 * Reads a day, exactly, beside a stream that goes on: first the cells, of one snapshot; then, once the exact view has all that was committed by then,
 * the view as of the snapshot. The snapshot may be another for each shard: a subject is in one of them. Tells at its end what was read.
 */
export class ReadDay implements AsyncDoFn<Keyed<Iterable<DayToCompare>>, ReadBatch<DayTally>> {
  readonly runtimeName: string;
  readonly span: SpanOfDays;
  readonly of: RecountedMeter;

  constructor(runtimeName: string, span: SpanOfDays, of: RecountedMeter) {
    this.runtimeName = runtimeName;
    this.span = span;
    this.of = of;
  }

  async *process({ value }: Keyed<Iterable<DayToCompare>>): AsyncGenerator<ReadBatch<DayTally>, void> {
    const { database, warehouse, scheduler } = await batchRuntime(this.runtimeName);
    const { namespace } = this.span;
    const [part] = value;
    if (part === undefined) return;
    const { day } = part;
    const { subjects } = await readReconciliation(database, this.span);
    const read = await readCells(database, { namespace, meter: this.of.meter, part, subjects });
    const reading = createControlledReading(this.of, day);
    for (const [subject, stored] of read.stored) reading.ask(subject, packStored(stored));
    await awaitView({ database, namespace, at: read.at, scheduler });
    for await (const events of readEvents(warehouse, this.questionOf(part, read, subjects))) {
      reading.add(events);
      if (reading.isFull) yield { folded: reading.take() };
    }
    const { folded, control } = reading.end(part.shards);
    yield { folded, tally: { report: emptyReport(day), control } };
  }

  private questionOf(
    { day, shard, shards }: DayToCompare,
    { at, corrected }: Cells,
    subjects: readonly string[] | null,
  ) {
    const named = subjects && new Set(subjects);
    const wants = (subject: string): boolean => named === null || named.has(subject);
    const { namespace } = this.span;
    return { namespace, meter: this.of.meter, day, at, wants, shard: { shard, shards }, corrected };
  }
}

interface ReadCells {
  readonly namespace: string;
  readonly meter: MeterVersion;
  readonly part: DayToCompare;
  readonly subjects: readonly string[] | null;
}

const readCells = (
  database: Database,
  { namespace, meter, part: { day, shard, shards }, subjects }: ReadCells,
) =>
  inSnapshot(database, async (snapshot) => {
    const { key, generation, definition } = meter;
    const of = { namespace, meter: key, generation, aggregation: definition.aggregation, day };
    const wants = (subject: string): boolean => shardOf(subject, shards) === shard;
    const stored = await readSubjects(snapshot, { of, subjects: subjects ?? undefined, wants });
    const at: Instant = snapshot.at;
    return { at, stored, corrected: await readCorrectedOfDay(snapshot, namespace, day) };
  });
