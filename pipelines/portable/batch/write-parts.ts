import type { MeterVersion } from '#domain/metering/meter.ts';
import { checkHeld, endPart, PartLost, shardOf, type BackfillPart } from '#infra/backfill/parts.ts';
import type { Database } from '#infra/database/database.ts';
import { rowsOf, ROWS_PER_TRANSACTION, writeSubjectDays } from '#infra/usage/write-subject-days.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { WindowedValue } from '#pipelines/beam/sdk.ts';
import { END_OF_TIME, inGlobalWindow } from '#pipelines/beam/windowed-value.ts';
import { readCorrectedOfDay } from '#pipelines/recount/read-events.ts';
import type { SubjectRecount } from '#pipelines/recount/recounted.ts';
import { claimedPart, type ClaimedParts } from './backfill-parts.ts';
import {
  assertAllArrived,
  bothControlled,
  controlOfArrived,
  NO_CONTROL,
  type ControlTally,
} from './control-tally.ts';
import { correctionsOf, type PartTally, type Tallied } from './part-tally.ts';
import { batchRuntime } from './runtime.ts';

const BACKFILL_ONLY = new Set(['backfill'] as const);

/** What waits to be written of one part, and what of it was written in this bundle. */
interface Pending {
  readonly part: BackfillPart;
  days: SubjectRecount[];
  rows: number;
  unmeasured: number;
  control: ControlTally;
}

const bundles = new WeakMap<WriteParts, Map<string, Pending>>();

/** Another worker's part is its to write. */
async function whileHeld(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof PartLost)) throw error;
  });
}

/**
 * The sink of the backfill's graph: absolute rows of one subject after another, some of a part in one transaction, in which the part must still be
 * held. So a bundle that is run again, or late, changes nothing. A subject of which not all has arrived is not written. Tells at its end what it has
 * had and written of each part.
 */
export class WriteParts implements AsyncDoFn<SubjectRecount, PartTally> {
  readonly runtimeName: string;
  readonly claimed: ClaimedParts;
  readonly meter: MeterVersion;

  constructor(runtimeName: string, claimed: ClaimedParts, meter: MeterVersion) {
    this.runtimeName = runtimeName;
    this.claimed = claimed;
    this.meter = meter;
  }

  startBundle(): void {
    bundles.set(this, new Map());
  }

  process(recount: SubjectRecount): Promise<void> | void {
    const pending = this.pendingOf(recount);
    const control = controlOfArrived(recount);
    pending.control = bothControlled(pending.control, control);
    if (control.broken > 0) return;
    const rows = rowsOf(recount);
    pending.unmeasured += recount.unmeasured;
    // One that fills a transaction by itself has its own.
    if (rows >= ROWS_PER_TRANSACTION) return this.write(pending.part, [recount]);
    pending.days.push(recount);
    pending.rows += rows + 1;
    if (pending.rows < ROWS_PER_TRANSACTION) return;
    const { days } = pending;
    Object.assign(pending, { days: [], rows: 0 });
    return this.write(pending.part, days);
  }

  async finishBundle(): Promise<WindowedValue<PartTally>[]> {
    const all = [...(bundles.get(this)?.values() ?? [])];
    bundles.delete(this);
    for (const { part, days } of all) await this.write(part, days);
    return all.map(({ part: { day, shard }, unmeasured, control }) => {
      const tally = { kind: 'tally', day, shard, events: 0, unmeasured, corrected: null, control } as const;
      return inGlobalWindow(tally, END_OF_TIME);
    });
  }

  private pendingOf({ day, subject }: SubjectRecount): Pending {
    const parts = bundles.get(this);
    if (parts === undefined) throw new Error('WriteParts was not begun');
    const shard = shardOf(subject, this.claimed.shards);
    const name = `${day} ${shard}`;
    const known = parts.get(name);
    if (known !== undefined) return known;
    const part = claimedPart(this.claimed, { day, shard });
    const pending = { part, days: [], rows: 0, unmeasured: 0, control: NO_CONTROL };
    parts.set(name, pending);
    return pending;
  }

  private async write(part: BackfillPart, days: readonly SubjectRecount[]): Promise<void> {
    const { database } = await batchRuntime(this.runtimeName);
    const { key: meter, generation, definition } = this.meter;
    const { namespace, day } = part;
    const write = {
      of: { namespace, meter, generation, aggregation: definition.aggregation, day },
      owners: BACKFILL_ONLY,
      check: (tx: Parameters<typeof checkHeld>[0]) => checkHeld(tx, part),
    };
    await whileHeld(writeSubjectDays(database, write, days));
  }
}

/**
 * Ends each part of which everything is written, unless an event of it was corrected since it was read: then it stays open, for whoever has
 * submitted the job to count again. A part that is ended already is left alone. Throws `ElementsLost`, with the part open, where not all that was
 * read of it has arrived.
 */
export class EndParts implements AsyncDoFn<Keyed<Tallied>> {
  readonly runtimeName: string;
  readonly claimed: ClaimedParts;

  constructor(runtimeName: string, claimed: ClaimedParts) {
    this.runtimeName = runtimeName;
    this.claimed = claimed;
  }

  async process({ key, value: tallied }: Keyed<Tallied>): Promise<void> {
    assertAllArrived(`part ${key}`, tallied.control);
    const { database } = await batchRuntime(this.runtimeName);
    const [day, shard] = key.split(' ').map(Number);
    if (day === undefined || shard === undefined) throw new Error(`'${key}' names no part`);
    const part = claimedPart(this.claimed, { day, shard });
    await whileHeld(endIfUncorrected(database, { part, tallied, shards: this.claimed.shards }));
  }
}

const endIfUncorrected = (
  database: Database,
  {
    part,
    tallied,
    shards,
  }: { readonly part: BackfillPart; readonly tallied: Tallied; readonly shards: number },
): Promise<unknown> =>
  database.transact(async (tx) => {
    const now = await readCorrectedOfDay(tx, part.namespace, part.day);
    if (correctionsOf(now, { shard: part.shard, shards }) === tallied.corrected)
      await endPart(tx, part, tallied);
  });
