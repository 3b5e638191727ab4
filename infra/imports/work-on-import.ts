import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import { workUntilEnded } from '#infra/corrections/work-until-ended.ts';
import type { Database } from '#infra/database/database.ts';
import { untilKnown } from '#infra/database/until-known.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { appendUntold, applyStaged } from './apply-import.ts';
import { heldImport, ImportLost, takeImport, type ImportWorker } from './lease.ts';
import { stagedEvents } from './staged-lines.ts';
import {
  importPart,
  importPartLines,
  openImport,
  REFUSED_LINES_NAMED_MAX,
  stagedImport,
  type ImportRow,
  type ImportState,
  type RefusedLine,
} from './tables.ts';
import { createKnownEvents } from './known-events.ts';
import { planEvents } from './plan-events.ts';

export interface ImportStores {
  readonly database: Database;
  readonly warehouse: Warehouse;
  readonly catalogues: Catalogues;
}

export interface WorkOnImport extends ImportWorker {
  readonly scheduler: Scheduler;
  readonly signal?: AbortSignal | undefined;
  /** Called often, between steps: a process with more to do may give way. */
  readonly breathe?: (() => Promise<void>) | undefined;
  /** Called with the row after each step. */
  readonly onProgress?: ((row: ImportRow) => void) | undefined;
}

/**
 * Works on an import until it has ended: checks it against the meters of now, counts it batch by batch, and lets its parts go. One worker does so at a
 * time; one that was killed is followed by the next, which goes on where it was. Throws what the stores throw; the import stays open.
 */
export async function workOnImport(stores: ImportStores, work: WorkOnImport): Promise<void> {
  const { scheduler, signal } = work;
  await workUntilEnded({
    ...{ scheduler, signal },
    take: () => takeImport(stores.database, work, scheduler.now()),
    step: async (row) => STEPS[row.state]?.(stores, work, row),
    isLost: (error) => error instanceof ImportLost,
  });
}

type Step = (stores: ImportStores, work: WorkOnImport, row: ImportRow) => Promise<void>;

/** What is done in each state that leaves something to do. Every step ends with the next state. */
const STEPS: Readonly<Partial<Record<ImportState, Step>>> = {
  checking: check,
  applying: async (stores, work, row) => {
    await applyStaged(stores, work, row);
    await write(stores, work, 'applying', (held) => ({
      ...held,
      state: 'clearing',
      finishedAt: work.scheduler.now(),
    }));
  },
  clearing: clear,
};

/** Goes through all events once without counting any: a line that the meters refuse is found before the first is counted. */
async function check(stores: ImportStores, work: WorkOnImport, row: ImportRow): Promise<void> {
  const known = createKnownEvents(stores.warehouse, { namespace: row.namespace, asOf: row.createdAt });
  const refused: RefusedLine[] = [];
  let count = 0;
  for await (const events of stagedEvents(stores.database, row, null)) {
    work.signal?.throwIfAborted();
    if (row.skipRefused) break;
    const plan = await planEvents({ ...stores, known }, events);
    count += plan.refused.length;
    refused.push(...plan.refused.slice(0, REFUSED_LINES_NAMED_MAX - refused.length));
    await write(stores, work, 'checking', (held) => held);
    await work.breathe?.();
  }
  const fault = `${count} events are refused by the meters or the schema of their type: mend them, or skip what is refused`;
  if (count === 0)
    await write(stores, work, 'checking', (held) => ({ ...held, state: 'applying', refused: [] }));
  else await close(stores, work, 'checking', (held) => ({ ...held, state: 'staging', refused, fault }));
}

/** The lines go, part by part; what was counted of each stays on record. */
async function clear(stores: ImportStores, work: WorkOnImport, row: ImportRow): Promise<void> {
  const { namespace, id } = row;
  await appendUntold(stores, row);
  // From here on what could tell it again goes.
  await write(stores, work, 'clearing', (held) => ({ ...held, untoldFrom: null }));
  for await (const { part } of stores.database.scan(importPart, { prefix: [namespace, id] })) {
    await untilKnown(() =>
      stores.database.transact(async (tx) => {
        tx.upsert(stagedImport, await heldImport(tx, work, { state: 'clearing', now: work.scheduler.now() }));
        tx.delete(importPartLines, [namespace, id, part]);
      }),
    );
    await work.breathe?.();
  }
  const state = row.finishedAt === null ? 'canceled' : 'applied';
  const finishedAt = row.finishedAt ?? work.scheduler.now();
  await close(stores, work, 'clearing', (held) => ({ ...held, state, finishedAt }));
}

type Change = (held: ImportRow) => ImportRow;

async function write(
  { database }: ImportStores,
  work: WorkOnImport,
  state: ImportState,
  change: Change,
): Promise<void> {
  const { result } = await untilKnown(() =>
    database.transact(async (tx) => {
      const changed = change(await heldImport(tx, work, { state, now: work.scheduler.now() }));
      tx.upsert(stagedImport, changed);
      return changed;
    }),
  );
  work.onProgress?.(result);
}

/** Ends the work; two who end it end it once. */
async function close(
  { database }: ImportStores,
  work: WorkOnImport,
  state: ImportState,
  change: Change,
): Promise<void> {
  const { namespace, id } = work;
  await untilKnown(() =>
    database.transact(async (tx) => {
      const [current] = await tx.read(openImport, [[namespace, id]]);
      if (current === undefined) return;
      const held = await heldImport(tx, work, { state, now: work.scheduler.now() });
      const changed = change(held);
      tx.upsert(stagedImport, { ...changed, worker: null, leaseUntil: null });
      tx.delete(openImport, [namespace, id]);
    }),
  );
}
