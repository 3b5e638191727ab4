import { layOut, type Copy } from '#domain/metering/batch.ts';
import type { EventState } from '#domain/metering/classify.ts';
import { fromHex, toHex, type Hash128 } from '#domain/metering/hash128.ts';
import type { HourIndex } from '#domain/instant.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import { countedByBackfills } from '#infra/backfill/counted-by-backfills.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import type { Instant } from '#domain/instant.ts';
import { appendEventRows, labelsOf, toEventRow } from './append-events.ts';
import { readCells, writeCells } from './cells.ts';
import type { LoadedEvent } from './stored-event.ts';
import { takeBackEvents } from './take-back-events.ts';
import { BACKFILL_SLOT, correctedEvent, event, type EarlierCorrection, type Row } from './tables.ts';

export type CorrectedEvent = Row<typeof correctedEvent>;

/** Events of one namespace that are corrected in one transaction, each of them once. */
export interface CorrectionBatch {
  readonly namespace: string;
  readonly events: readonly LoadedEvent[];
  /** Whose work it is; null where events are corrected by their names. */
  readonly correction: string | null;
  /** The correction is being undone: what corrected an event before is its last correction again. */
  readonly undoes?: boolean;
  readonly slot: number;
  /** Cells of earlier hours are only in day rows any more. */
  readonly hoursFrom: HourIndex;
}

/** What a transaction finds of an event before it corrects it. */
export interface FoundState {
  readonly loaded: LoadedEvent;
  readonly state: EventState;
  /** Its last correction, if it ever had one. */
  readonly corrected: CorrectedEvent | undefined;
  /** Undefined once it has expired: then the last correction is all there is to go by. */
  readonly row: Row<typeof event> | undefined;
}

/**
 * The events as the transaction finds them. One whose row belongs to another event by now is left out: its identity was used again after it
 * had expired.
 */
export async function findStates(
  tx: Transaction,
  { namespace, events }: Pick<CorrectionBatch, 'namespace' | 'events'>,
): Promise<FoundState[]> {
  const identities = events.map(({ event: { identity } }) => identity);
  const [rows, corrected] = await Promise.all([
    tx.read(
      event,
      identities.map((identity) => [identity]),
    ),
    readCorrected(tx, namespace, identities),
  ]);
  return events.flatMap((loaded, place): FoundState[] => {
    const [row, last] = [rows[place], corrected[place]];
    if (row === undefined)
      return [
        {
          loaded,
          state: (last?.state as EventState | undefined) ?? loaded.stored.state,
          corrected: last,
          row,
        },
      ];
    return row.digest === loaded.stored.digest
      ? [{ loaded, state: row.state as EventState, corrected: last, row }]
      : [];
  });
}

export const readCorrected = (
  tx: Pick<Transaction, 'read'>,
  namespace: string,
  identities: readonly Hash128[],
): Promise<(CorrectedEvent | undefined)[]> =>
  tx.read(
    correctedEvent,
    identities.map((identity) => [namespace, identity]),
  );

/**
 * Takes live events back: their rows become tombstones, and their effects are taken out of every cell that has them. Limits are left to the
 * caller, who may have more to do to them. `replacementOf` names what takes an event's place.
 */
export async function applyVoids(
  tx: Transaction,
  batch: CorrectionBatch,
  live: readonly FoundState[],
  replacementOf: (loaded: LoadedEvent) => Hash128 | null = () => null,
): Promise<Copy[]> {
  const copies = live.map(({ loaded }) => copyOf(loaded));
  const catalogue = await readCatalogueRow(tx, batch.namespace);
  await takeBackEvents(tx, copies, { catalogue, hoursFrom: batch.hoursFrom });
  const backfilled = await countedByBackfills(
    tx,
    batch.namespace,
    live.map(({ loaded }) => loaded),
  );
  await takeBackEvents(tx, backfilled, { catalogue, hoursFrom: batch.hoursFrom, owner: 'backfill' });
  for (const found of live) {
    const { loaded, row } = found;
    if (row !== undefined) tx.upsert(event, { ...row, state: 'void' });
    noteCorrection(tx, batch, found, { state: 'void', replacement: replacementOf(loaded) });
  }
  return withEffects(copies, backfilled);
}

/** Brings void events back with the effects they had; limits are left to the caller. */
export async function applyRestores(
  tx: Transaction,
  batch: CorrectionBatch,
  voided: readonly FoundState[],
): Promise<Copy[]> {
  const copies = voided.map(({ loaded }) => copyOf(loaded));
  const backfilled = await countedByBackfills(
    tx,
    batch.namespace,
    voided.map(({ loaded }) => loaded),
  );
  await putBack(tx, batch, copies);
  await putBack(tx, { ...batch, slot: BACKFILL_SLOT }, backfilled);
  for (const found of voided) {
    const { row } = found;
    if (row !== undefined) tx.upsert(event, { ...row, state: 'live' });
    noteCorrection(tx, batch, found, { state: 'live', replacement: null });
  }
  return withEffects(copies, backfilled);
}

async function putBack(tx: Transaction, batch: CorrectionBatch, copies: readonly Copy[]): Promise<void> {
  const layout = layOut(copies.map((first) => ({ first, others: [] })));
  const { closedThrough } = await readCatalogueRow(tx, batch.namespace);
  const cells = await readCells(tx, layout, batch, () => closedThrough);
  copies.forEach((_, index) => layout.apply(index));
  await writeCells(tx, layout, cells);
}

/** Of each event all that it did, whoever counted it: a limit counts every generation. */
function withEffects(copies: readonly Copy[], backfilled: readonly Copy[]): Copy[] {
  const more = new Map(backfilled.map((copy) => [copy.event.identity, copy.effects]));
  return copies.map((copy) => ({
    ...copy,
    effects: [...copy.effects, ...(more.get(copy.event.identity) ?? [])],
  }));
}

export const copyOf = ({ event: of, effects }: LoadedEvent): Copy => ({ event: of, effects, messageId: '' });

/** So many earlier corrections of one event are remembered. */
const CORRECTIONS_BEFORE_MAX = 32;

function noteCorrection(
  tx: Transaction,
  { correction, undoes = false }: CorrectionBatch,
  { loaded: { event: of }, corrected }: FoundState,
  { state, replacement }: { readonly state: EventState; readonly replacement: Hash128 | null },
): void {
  const { namespace, identity, type, source, id: eventId, subject, time } = of;
  const last = undoes ? before(corrected) : { correction, replacement, before: withLast(corrected) };
  tx.upsert(correctedEvent, {
    ...{ namespace, identity, state, ...last },
    ...{ type, source, eventId, subject, time, correctedAt: commitTimestamp },
  });
}

type LastCorrection = Pick<CorrectedEvent, 'correction' | 'replacement' | 'before'>;

/** The correction that stands again once the last one is undone. */
function before(corrected: CorrectedEvent | undefined): LastCorrection {
  const earlier = corrected?.before ?? [];
  const { correction = null, replacement = null } = earlier.at(-1) ?? {};
  return {
    correction,
    replacement: replacement === null ? null : fromHex(replacement),
    before: earlier.slice(0, -1),
  };
}

/** What stood before, with the correction that is followed now. */
export function withLast(corrected: CorrectedEvent | undefined): readonly EarlierCorrection[] {
  if (corrected === undefined) return [];
  const { correction, replacement } = corrected;
  const last = { correction, replacement: replacement === null ? null : toHex(replacement) };
  return [...corrected.before, last].slice(-CORRECTIONS_BEFORE_MAX);
}

/** What the warehouse is told of corrected events. A restored one is also said to be accepted, since one that was voided ahead never had been. */
export function correctionRows(
  { stored, event: of, effects }: LoadedEvent,
  outcome: 'void' | 'restored',
  committedAt: Instant,
): EventRow[] {
  const { catalogueVersion } = stored;
  const matchedMeters = labelsOf(effects);
  const said = toEventRow(of, outcome, { committedAt, catalogueVersion, matchedMeters });
  if (outcome === 'void') return [said];
  const commit = { committedAt: stored.committedAt, catalogueVersion, matchedMeters };
  return [said, toEventRow(of, 'accepted', commit)];
}

export const appendCorrection = async (
  context: { readonly database: Database; readonly warehouse: Warehouse },
  ...[loaded, outcome, committedAt]: Parameters<typeof correctionRows>
): Promise<void> => void (await appendEventRows(context, correctionRows(loaded, outcome, committedAt)));
