import { randomUUID } from 'node:crypto';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { daysOf, type Backfill } from '#infra/backfill/backfill.ts';
import { checkHeld, endPart, shardOf, type BackfillPart } from '#infra/backfill/parts.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Database } from '#infra/database/database.ts';
import { createBatchEngine } from '#pipelines/beam/batch-engine.ts';
import {
  committedBefore,
  readCorrectedOfDay,
  readEvents,
  type CorrectedEvent,
  type ReadWarehouse,
} from '#pipelines/recount/read-events.ts';
import type { RecountInput } from '#pipelines/recount/recounted.ts';
import { buildBackfillGraph } from './graph.ts';
import { backfillRuntimes, type Written } from './runtime.ts';

export interface CountPart {
  readonly database: Database;
  readonly warehouse: ReadWarehouse;
  readonly backfill: Backfill;
  readonly meter: MeterVersion;
  readonly part: BackfillPart;
  readonly signal?: AbortSignal | undefined;
}

const BACKFILL_ONLY = new Set(['backfill'] as const);

type Corrected = ReadonlyMap<Hash128, CorrectedEvent>;

/**
 * Counts one part: the day's events that were committed below the cut-off, into absolute rows of the backfill's slot. A correction that is
 * committed meanwhile finds the part not done and leaves the cells alone; so before the part is done, in the same transaction, it is looked for
 * such corrections, and their subjects are counted again. Throws `PartLost`.
 */
export async function countPart(work: CountPart): Promise<void> {
  const { database, backfill, part } = work;
  const { namespace, day } = part;
  let corrected: Corrected = await readCorrectedOfDay(database, namespace, day);
  let subjects: ReadonlySet<string> | undefined;
  const counted = { events: 0, unmeasured: 0 };
  for (;;) {
    const round = await countSubjects(work, corrected, subjects);
    // Of a later round only what it adds is not known; the first one counts.
    if (subjects === undefined) Object.assign(counted, round);
    const known = corrected;
    const { result } = await database.transact(async (tx) => {
      const now = await readCorrectedOfDay(tx, namespace, day);
      const changed = changedSubjects(known, now, backfill, part);
      if (changed.size === 0) await endPart(tx, part, counted);
      return { now, changed };
    });
    if (result.changed.size === 0) return;
    corrected = result.now;
    subjects = result.changed;
  }
}

/** Subjects of the part with an event that is something else than it was when it was counted. */
function changedSubjects(
  known: Corrected,
  now: Corrected,
  { shards }: Backfill,
  { shard }: BackfillPart,
): Set<string> {
  const changed = new Set<string>();
  for (const [identity, { state, subject }] of now)
    if (known.get(identity)?.state !== state && shardOf(subject, shards) === shard) changed.add(subject);
  return changed;
}

async function countSubjects(
  { database, warehouse, backfill, meter, part, signal }: CountPart,
  corrected: Corrected,
  subjects: ReadonlySet<string> | undefined,
): Promise<Pick<BackfillPart, 'events' | 'unmeasured'>> {
  const { namespace, day, shard } = part;
  const { generation, definition } = meter;
  const runtimeName = `backfill/${randomUUID()}`;
  let events = 0;
  let unmeasured = 0;
  const { shards } = backfill;
  const wants = (subject: string): boolean => subjects === undefined || subjects.has(subject);
  const source = async function* (): AsyncGenerator<RecountInput, void> {
    // A subject that has lost all its events to corrections has rows of an earlier attempt perhaps.
    for (const { subject, type } of corrected.values())
      if (type === definition.eventType && shardOf(subject, shards) === shard && wants(subject))
        yield { kind: 'subject', day, subject };
    const asked = { namespace, meter, day, shard: { shard, shards }, wants, corrected };
    for await (const read of readEvents(warehouse, asked)) {
      events += committedBefore(meter, read);
      signal?.throwIfAborted();
      yield { kind: 'events', events: read };
    }
  };
  const runtime = {
    database,
    write: {
      of: { namespace, meter: meter.key, generation, aggregation: definition.aggregation, day },
      owners: BACKFILL_ONLY,
      check: (tx: Parameters<typeof checkHeld>[0]) => checkHeld(tx, part),
    },
    written: (written: Written) => void (unmeasured += written.unmeasured),
  };
  const of = { namespace, meter, backfilled: daysOf(backfill), only: 'backfill' } as const;
  const engine = createBatchEngine<RecountInput>((input) => buildBackfillGraph(input, { of, runtimeName }));
  await backfillRuntimes.during(runtimeName, runtime, () => engine.run(source()));
  return { events, unmeasured };
}
