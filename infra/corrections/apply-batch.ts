import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import type { Transaction } from '#infra/database/database.ts';
import { readYourWrites } from '#infra/database/read-your-writes.ts';
import { correctLimits } from '#infra/entitlements/apply-usage.ts';
import { StaleCatalogues } from '#infra/usage/amend-event.ts';
import type { CatalogueSet } from '#infra/usage/catalogue-set.ts';
import { commitMatched, type CommitContext } from '#infra/usage/commit.ts';
import {
  applyRestores,
  applyVoids,
  findStates,
  type CorrectionBatch,
  type FoundState,
} from '#infra/usage/correct-events.ts';
import { loadCatalogues, matchDeliveries, type MatchedDeliveries } from '#infra/usage/match-deliveries.ts';
import type { LoadedEvent } from '#infra/usage/stored-event.ts';
import { event as eventTable } from '#infra/usage/tables.ts';
import { replacementOf, type Replacement } from './replacements.ts';
import { NOTHING_CORRECTED, type CorrectionCounts, type CorrectionRow, type RefusedEvent } from './tables.ts';

/** What became of the events of one batch. */
export interface Applied {
  readonly counts: CorrectionCounts;
  readonly refused: readonly RefusedEvent[];
}

/** Corrects a batch in a transaction; what has to be asked elsewhere was asked before. */
export type ApplyBatch = (tx: Transaction) => Promise<Applied>;

/** By the action of a correction, what it does to some events. */
export async function batchWork(
  context: CommitContext,
  row: CorrectionRow,
  batch: CorrectionBatch,
): Promise<ApplyBatch> {
  if (row.action === 'void') return (tx) => voidBatch(tx, batch);
  if (row.action === 'restore') return (tx) => restoreBatch(tx, batch);
  const plan = await planAmendments(context.catalogues, row, batch.events);
  return (tx) => amendBatch(tx, context, batch, plan);
}

const counted = (counts: Partial<CorrectionCounts>, refused: readonly RefusedEvent[] = []): Applied => ({
  counts: { ...NOTHING_CORRECTED, ...counts },
  refused,
});

async function voidBatch(tx: Transaction, batch: CorrectionBatch): Promise<Applied> {
  const live = (await findStates(tx, batch)).filter(({ state }) => state === 'live');
  await correctLimits(tx, { voided: await applyVoids(tx, batch, live) });
  return counted({ changed: live.length, already: batch.events.length - live.length });
}

async function restoreBatch(tx: Transaction, batch: CorrectionBatch): Promise<Applied> {
  const voided = (await findStates(tx, batch)).filter(({ state }) => state === 'void');
  await correctLimits(tx, { restored: await applyRestores(tx, batch, voided) });
  return counted({ changed: voided.length, already: batch.events.length - voided.length });
}

/** What the events of a batch are to become, as far as it can be told without a transaction. */
interface AmendmentPlan {
  readonly catalogues: CatalogueSet;
  readonly matched: MatchedDeliveries;
  /** By the identity of the event that goes, the one that takes its place. */
  readonly replacements: ReadonlyMap<Hash128, Hash128>;
  readonly refused: readonly RefusedEvent[];
  readonly unchanged: number;
}

/** Those that cannot be amended are told by the change, by the parser, or by the meters of now. */
export async function planAmendments(
  from: Catalogues,
  { id, change }: Pick<CorrectionRow, 'id' | 'change'>,
  events: readonly LoadedEvent[],
): Promise<AmendmentPlan> {
  const made = events.map((old) => replacementOf(old, { correction: id, change: change ?? {} }));
  const deliveries = made.flatMap((each) => ('delivery' in each ? each.delivery : []));
  const catalogues = await loadCatalogues(from, deliveries);
  const matched = matchDeliveries(catalogues, deliveries);
  const refusals = new Map(matched.refused.map(({ delivery, refusal }) => [delivery, refusal]));
  const refused = made.flatMap((each) => {
    const refusal = 'refusal' in each ? each.refusal : refusalOf(each, refusals);
    return refusal === undefined ? [] : [refusedEvent(each.old, refusal)];
  });
  const counting = new Set(matched.copies.map(({ event }) => event.identity));
  const replacements = new Map(
    made.flatMap((each) =>
      'delivery' in each && counting.has(each.delivery.event.identity)
        ? [[each.old.event.identity, each.delivery.event.identity] as const]
        : [],
    ),
  );
  const unchanged = made.filter((each) => 'unchanged' in each).length;
  return { catalogues, matched: { ...matched, refused: [] }, replacements, refused, unchanged };
}

function refusalOf(
  each: Replacement,
  refusals: ReadonlyMap<object, { readonly reason: string; readonly detail: string }>,
): { code: string; detail: string } | undefined {
  const refusal = 'delivery' in each ? refusals.get(each.delivery) : undefined;
  return refusal && { code: refusal.reason, detail: refusal.detail };
}

const refusedEvent = (
  { event: { source, id } }: LoadedEvent,
  { code, detail }: { readonly code: string; readonly detail: string },
): RefusedEvent => ({ source, id, code, detail });

/** Each old event goes and its new one comes in one step; limits see what they differ by. Throws `StaleCatalogues`. */
async function amendBatch(
  tx: Transaction,
  context: CommitContext,
  batch: CorrectionBatch,
  { catalogues, matched, replacements, refused, unchanged }: AmendmentPlan,
): Promise<Applied> {
  const states = await findStates(tx, batch);
  const planned = states.filter(({ loaded }) => replacements.has(loaded.event.identity));
  const [free, taken] = await partByPlace(tx, planned, replacements);
  const live = free.filter(({ state }) => state === 'live');
  const coming = new Set(live.map(({ loaded }) => replacements.get(loaded.event.identity)));
  // Both steps may touch the same cells, so the second must see what the first wrote.
  const own = readYourWrites(tx);
  const by = ({ event }: LoadedEvent): Hash128 | null => replacements.get(event.identity) ?? null;
  const replaced = await applyVoids(own, batch, live, by);
  const copies = matched.copies.filter(({ event }) => coming.has(event.identity));
  if (copies.length > 0) {
    const committed = await commitMatched(own, context, catalogues, { ...matched, copies, replaced });
    if ('stale' in committed) throw new StaleCatalogues(committed.stale);
  }
  const all = [...refused, ...taken.map(({ loaded }) => refusedEvent(loaded, NAME_TAKEN))];
  const already = batch.events.length - live.length - all.length - unchanged;
  return counted({ changed: live.length, already, unchanged, refused: all.length }, all);
}

const NAME_TAKEN = {
  code: 'replacement_exists',
  detail: 'the event that would take its place is there already',
};

/** Live events whose replacement is not there yet, and those where it is. */
async function partByPlace(
  tx: Transaction,
  planned: readonly FoundState[],
  replacements: ReadonlyMap<Hash128, Hash128>,
): Promise<[free: FoundState[], taken: FoundState[]]> {
  const rows = await tx.read(
    eventTable,
    planned.map(({ loaded }) => [replacements.get(loaded.event.identity) ?? '']),
  );
  const isFree = (place: number): boolean => rows[place] === undefined;
  return [
    planned.filter((each, place) => each.state === 'void' || isFree(place)),
    planned.filter((each, place) => each.state === 'live' && !isFree(place)),
  ];
}
