import type { CorrectionRequest } from '#domain/corrections/correction.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { createCorrection, readCorrection, undoCorrection } from '#infra/corrections/corrections.ts';
import { foreseeCorrection, type ForeseenCorrection } from '#infra/corrections/foresee-correction.ts';
import { prepareCorrection } from '#infra/corrections/prepare-correction.ts';
import type { CorrectionRow } from '#infra/corrections/tables.ts';
import { workOnCorrection } from '#infra/corrections/work-on-correction.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { instant, NAMESPACE, type Stores } from '#test/infra/usage/usage-fixture.ts';

export const DAY = { from: instant('2026-03-10T00:00:00Z'), to: instant('2026-03-11T00:00:00Z') };
export const REASON = 'the unit was wrong';

const schedulerOf = ({ clock }: Stores): Scheduler => ({
  now: () => clock.now,
  sleep: async (milliseconds) => void (clock.now += milliseconds * 1_000),
});

const origin = ({ clock }: Stores) => ({ principal: 'key-1', reason: REASON, now: clock.now });

export const storesOf = ({ database, warehouse }: Stores) => ({
  database,
  warehouse,
  catalogues: createCatalogues(database),
});

/** Works on a correction until it has ended, as a worker of that name. */
export async function finish(stores: Stores, id: string, worker = 'one'): Promise<CorrectionRow> {
  const name = { namespace: NAMESPACE, id };
  await workOnCorrection(storesOf(stores), { ...name, worker, scheduler: schedulerOf(stores) });
  return readCorrection(stores.database, name);
}

/** Asks for a correction and does nothing of it. */
export async function ask(stores: Stores, request: CorrectionRequest): Promise<CorrectionRow> {
  const prepared = await prepareCorrection(stores.database, { namespace: NAMESPACE, ...request });
  return (await stores.database.transact(async (tx) => createCorrection(tx, prepared, origin(stores))))
    .result;
}

export const correct = async (stores: Stores, request: CorrectionRequest): Promise<CorrectionRow> =>
  finish(stores, (await ask(stores, request)).id);

export async function undo(stores: Stores, { id }: CorrectionRow): Promise<CorrectionRow> {
  await stores.database.transact((tx) => undoCorrection(tx, { namespace: NAMESPACE, id }, origin(stores)));
  return finish(stores, id);
}

export const foresee = async (stores: Stores, request: CorrectionRequest): Promise<ForeseenCorrection> =>
  foreseeCorrection(
    storesOf(stores),
    await prepareCorrection(stores.database, { namespace: NAMESPACE, ...request }),
  );
