import type { BackfillName } from '#infra/backfill/backfill.ts';
import { heldParts, shardOf, type BackfillPart } from '#infra/backfill/parts.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import { committedBefore, readCorrectedOfDay, readEvents } from '#pipelines/recount/read-events.ts';
import type { RecountedMeter } from '#pipelines/recount/match-events.ts';
import { createControlledReading } from './controlled-reading.ts';
import { correctionsOf, type PartTally } from './part-tally.ts';
import type { ReadBatch } from './read-batch.ts';
import { batchRuntime } from './runtime.ts';

/** Which parts a job counts: those of the backfill that the worker, which has submitted it, has claimed. */
export interface ClaimedParts extends BackfillName {
  readonly worker: string;
  readonly shards: number;
}

/** A part as it goes from step to step. */
export interface PartToCount {
  readonly day: number;
  readonly shard: number;
}

export const nameOfPart = ({ day, shard }: PartToCount): string => `${day} ${shard}`;

/** The row of a part as its holder knows it. */
export const claimedPart = (
  { namespace, meter, version, worker }: ClaimedParts,
  { day, shard }: PartToCount,
): BackfillPart => ({
  ...{ namespace, meter, version, day, shard, state: 'open', worker },
  ...{ leaseUntil: null, events: 0, unmeasured: 0 },
});

/** The parts that are to be counted, as the database has them: run again, it leaves out those that are done. */
export class ListParts implements AsyncDoFn<unknown, PartToCount> {
  readonly runtimeName: string;
  readonly claimed: ClaimedParts;

  constructor(runtimeName: string, claimed: ClaimedParts) {
    this.runtimeName = runtimeName;
    this.claimed = claimed;
  }

  async process(): Promise<PartToCount[]> {
    const { database } = await batchRuntime(this.runtimeName);
    const parts = await heldParts(database, this.claimed, this.claimed.worker);
    return parts.map(({ day, shard }) => ({ day, shard }));
  }
}

/** Reads and folds a part's events from the exact view, no faster than the steps behind take it, and tells at its end what they were. */
export class ReadPart implements AsyncDoFn<Keyed<Iterable<PartToCount>>, ReadBatch<PartTally>> {
  readonly runtimeName: string;
  readonly claimed: ClaimedParts;
  readonly of: RecountedMeter;

  constructor(runtimeName: string, claimed: ClaimedParts, of: RecountedMeter) {
    this.runtimeName = runtimeName;
    this.claimed = claimed;
    this.of = of;
  }

  async *process({ value }: Keyed<Iterable<PartToCount>>): AsyncGenerator<ReadBatch<PartTally>, void> {
    const { database, warehouse } = await batchRuntime(this.runtimeName);
    const { namespace, shards } = this.claimed;
    const { meter } = this.of;
    const type = meter.definition.eventType;
    const [part] = value;
    if (part === undefined) return;
    const { day, shard } = part;
    const reading = createControlledReading(this.of, day);
    const corrected = await readCorrectedOfDay(database, namespace, day);
    // A subject that has lost all its events to corrections has rows of an earlier attempt perhaps.
    for (const { subject, type: of } of corrected.values())
      if (of === type && shardOf(subject, shards) === shard) reading.ask(subject);
    const asked = { namespace, meter, day, shard: { shard, shards }, wants: () => true, corrected };
    let events = 0;
    for await (const read of readEvents(warehouse, asked)) {
      events += committedBefore(meter, read);
      reading.add(read);
      if (reading.isFull) yield { folded: reading.take() };
    }
    // A part is one shard: all of it is read here.
    const { folded, control } = reading.end(1);
    const read = { events, unmeasured: 0, corrected: correctionsOf(corrected, { shard, shards }), control };
    yield { folded, tally: { kind: 'tally', day, shard, ...read } };
  }
}
