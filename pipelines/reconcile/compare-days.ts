import { randomUUID } from 'node:crypto';
import type { DayIndex, Instant } from '#domain/instant.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { daysOf, type Backfill } from '#infra/backfill/backfill.ts';
import type { Database } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { readSubjects } from '#infra/reconcile/read-subjects.ts';
import type { StoredSubject } from '#infra/reconcile/compare-subject.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { CellOwner } from '#infra/usage/replace-cells.ts';
import { createBatchEngine } from '#pipelines/beam/batch-engine.ts';
import { awaitView, type AwaitView } from '#pipelines/recount/await-view.ts';
import { readCorrectedOfDay, readEvents, type ReadWarehouse } from '#pipelines/recount/read-events.ts';
import type { RecountInput } from '#pipelines/recount/recounted.ts';
import { buildReconcileGraph } from './graph.ts';
import { reconcileRuntimes, type DifferingSubject } from './runtime.ts';

export interface CompareDays {
  readonly database: Database;
  readonly warehouse: ReadWarehouse;
  readonly scheduler: Scheduler;
  readonly signal?: AbortSignal | undefined;
  readonly namespace: string;
  readonly meter: MeterVersion;
  /** What was backfilled in the version, once all of it is counted. */
  readonly backfill: Backfill | undefined;
  /** Only these. */
  readonly subjects?: readonly string[] | undefined;
  readonly onWaiting?: AwaitView['onWaiting'];
}

export interface ComparedDay {
  readonly day: DayIndex;
  readonly compared: number;
  readonly differing: readonly DifferingSubject[];
  readonly owners: ReadonlySet<CellOwner>;
}

/** Stored rows of the days that are compared after one wait, about: they are held until then. */
const ROWS_HELD = 200_000;

/**
 * Compares cells with raw events day by day, exactly, beside a stream that goes on: the cells of some days are read, each of one snapshot; once
 * the exact view has all that was committed by then, they are compared with the view as of the snapshot. So what is on its way is on neither
 * side, and every difference is one.
 */
export async function* compareDays(
  work: CompareDays,
  days: Iterable<DayIndex>,
): AsyncGenerator<ComparedDay, void> {
  let held: ReadDay[] = [];
  let rows = 0;
  for (const day of days) {
    work.signal?.throwIfAborted();
    const read = await readDay(work, day);
    held.push(read);
    for (const { cells } of read.stored.values()) rows += cells.hours.length + 1;
    if (rows < ROWS_HELD && held.length < DAYS_HELD_MAX) continue;
    yield* compareHeld(work, held);
    held = [];
    rows = 0;
  }
  yield* compareHeld(work, held);
}

const DAYS_HELD_MAX = 40;

interface ReadDay {
  readonly day: DayIndex;
  readonly at: Instant;
  readonly stored: ReadonlyMap<string, StoredSubject>;
  readonly corrected: Awaited<ReturnType<typeof readCorrectedOfDay>>;
}

const readDay = ({ database, namespace, meter, subjects }: CompareDays, day: DayIndex): Promise<ReadDay> =>
  inSnapshot(database, async (snapshot) => {
    const { key, generation, definition } = meter;
    const of = { namespace, meter: key, generation, aggregation: definition.aggregation, day };
    const stored = await readSubjects(snapshot, { of, subjects, wants: () => true });
    return { day, at: snapshot.at, stored, corrected: await readCorrectedOfDay(snapshot, namespace, day) };
  });

async function* compareHeld(work: CompareDays, held: readonly ReadDay[]): AsyncGenerator<ComparedDay, void> {
  const at = Math.max(...held.map((read) => read.at));
  if (held.length > 0) await awaitView({ ...work, at });
  for (const read of held) yield await compareDay(work, read);
}

async function compareDay(work: CompareDays, { day, at, stored, corrected }: ReadDay): Promise<ComparedDay> {
  const { warehouse, namespace, meter, backfill, subjects, signal } = work;
  const runtimeName = `reconcile/${randomUUID()}`;
  const named = subjects && new Set(subjects);
  const owners = new Set<CellOwner>(backfill === undefined ? ['stream'] : ['stream', 'backfill']);
  const differing: DifferingSubject[] = [];
  let compared = 0;
  const source = async function* (): AsyncGenerator<RecountInput, void> {
    for (const subject of stored.keys()) yield { kind: 'subject', day, subject };
    const wants = (subject: string): boolean => named === undefined || named.has(subject);
    for await (const events of readEvents(warehouse, { namespace, meter, day, at, wants, corrected })) {
      signal?.throwIfAborted();
      yield { kind: 'events', events };
    }
  };
  const runtime = {
    aggregation: meter.definition.aggregation,
    owners,
    stored,
    compared: (each: DifferingSubject | undefined) => {
      compared++;
      if (each !== undefined) differing.push(each);
    },
  };
  const of = { namespace, meter, backfilled: backfill ? daysOf(backfill) : null, only: 'all' } as const;
  const engine = createBatchEngine<RecountInput>((input) => buildReconcileGraph(input, { of, runtimeName }));
  await reconcileRuntimes.during(runtimeName, runtime, () => engine.run(source()));
  return { day, compared, differing, owners };
}
