import { CORRECTION_EVENTS_MAX } from '#domain/limits.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { untilKnown } from '#infra/database/until-known.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { applyCorrection } from './apply-correction.ts';
import { CorrectionLost, heldCorrection, takeCorrection, type CorrectionWorker } from './lease.ts';
import { meantEvents } from './meant-events.ts';
import { correction, openCorrection, type CorrectionRow, type CorrectionState } from './tables.ts';
import { tellUntold } from './tell-untold.ts';
import { undoBatches } from './undo-correction.ts';
import { workUntilEnded } from './work-until-ended.ts';

export interface CorrectionStores {
  readonly database: Database;
  readonly warehouse: Warehouse;
  readonly catalogues: Catalogues;
}

export interface WorkOnCorrection extends CorrectionWorker {
  readonly scheduler: Scheduler;
  readonly signal?: AbortSignal | undefined;
  /** Called often, between steps: a process with more to do may give way. */
  readonly breathe?: (() => Promise<void>) | undefined;
  /** Called with the row after each step. */
  readonly onProgress?: ((row: CorrectionRow) => void) | undefined;
}

/**
 * Works on a correction until it has ended: counts its events, corrects them batch by batch, ends it where it is canceled, or undoes it. One
 * worker does so at a time; one that was killed is followed by the next, which goes on where it was. Throws what the stores throw; the
 * correction stays open.
 */
export async function workOnCorrection(stores: CorrectionStores, work: WorkOnCorrection): Promise<void> {
  const { scheduler, signal } = work;
  await workUntilEnded({
    ...{ scheduler, signal },
    take: () => takeCorrection(stores.database, work, scheduler.now()),
    step: async (row) => STEPS[row.state]?.(stores, work, row),
    isLost: (error) => error instanceof CorrectionLost,
  });
}

type Step = (stores: CorrectionStores, work: WorkOnCorrection, row: CorrectionRow) => Promise<void>;

/** What is done in each state that leaves something to do. Every step ends with the next state. */
const STEPS: Readonly<Partial<Record<CorrectionState, Step>>> = {
  counting: count,
  applying: async (stores, work, row) => {
    await applyCorrection(stores, work, row);
    await end(stores, work, { from: 'applying', to: 'applied' });
  },
  canceling: async (stores, work, row) => {
    await tellUntold(stores, row);
    await end(stores, work, { from: 'canceling', to: 'canceled' });
  },
  undoing: async (stores, work, row) => {
    await undoBatches(stores, work, row);
    await end(stores, work, { from: 'undoing', to: 'undone' });
  },
};

/** Goes through the events once without changing any: one correction must not change more than was thought of. */
async function count(stores: CorrectionStores, work: WorkOnCorrection, row: CorrectionRow): Promise<void> {
  let matched = 0;
  const isBounded = row.filter.import === undefined;
  for await (const events of meantEvents(stores, { ...row, change: row.change ?? undefined }, null)) {
    work.signal?.throwIfAborted();
    matched += events.length;
    if (isBounded && matched > CORRECTION_EVENTS_MAX) break;
    const so = await write(stores, work, 'counting', (held) => ({ ...held, matched }));
    work.onProgress?.(so);
    await work.breathe?.();
  }
  if (isBounded && matched > CORRECTION_EVENTS_MAX)
    return end(stores, work, { from: 'counting', to: 'refused', fault: tooManyText });
  await write(stores, work, 'counting', (held) => ({ ...held, matched, state: 'applying' }));
}

const tooManyText = `more than ${CORRECTION_EVENTS_MAX} events are meant: correct a shorter time, or fewer subjects, at once`;

async function write(
  { database }: CorrectionStores,
  work: WorkOnCorrection,
  state: CorrectionState,
  change: (held: CorrectionRow) => CorrectionRow,
): Promise<CorrectionRow> {
  const { result } = await untilKnown(() =>
    database.transact(async (tx) => {
      const changed = change(await heldCorrection(tx, work, { state, now: work.scheduler.now() }));
      tx.upsert(correction, changed);
      return changed;
    }),
  );
  return result;
}

interface Ending {
  readonly from: CorrectionState;
  readonly to: CorrectionState;
  readonly fault?: string;
}

async function end(
  { database }: CorrectionStores,
  work: WorkOnCorrection,
  { from, to, fault }: Ending,
): Promise<void> {
  const { result } = await untilKnown(() =>
    database.transact((tx) => endIn(tx, work, { from, to, fault: fault ?? null })),
  );
  if (result !== undefined) work.onProgress?.(result);
}

/** Two who end it end it once. */
async function endIn(
  tx: Transaction,
  work: WorkOnCorrection,
  {
    from,
    to,
    fault,
  }: { readonly from: CorrectionState; readonly to: CorrectionState; readonly fault: string | null },
): Promise<CorrectionRow | undefined> {
  const { namespace, id } = work;
  const [current] = await tx.read(correction, [[namespace, id]]);
  if (current?.state === to) return undefined;
  const held = await heldCorrection(tx, work, { state: from, now: work.scheduler.now() });
  const finishedAt = work.scheduler.now();
  const ended = { ...held, state: to, untold: [], fault, worker: null, leaseUntil: null, finishedAt };
  tx.upsert(correction, ended);
  tx.delete(openCorrection, [namespace, id]);
  return ended;
}
