import { daysOf, type Backfill } from '#infra/backfill/backfill.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { combinePerKey } from '#pipelines/beam/combining.ts';
import { dealOut } from '#pipelines/beam/deal-out.ts';
import { apply, flatten } from '#pipelines/beam/graph.ts';
import { moduleName, register } from '#pipelines/beam/registration.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { recountFolded } from '#pipelines/recount/graph.ts';
import { ListParts, nameOfPart, ReadPart } from './backfill-parts.ts';
import { partOfTally, TallyCombiner, type PartTally } from './part-tally.ts';
import { SelectFolded, SelectTallies } from './read-batch.ts';
import './stages.ts';
import { EndParts, WriteParts } from './write-parts.ts';

// Workers load this module by name and find in it every function of the graph.
register(moduleName(import.meta.url), {
  EndParts,
  ListParts,
  nameOfPart,
  partOfTally,
  ReadPart,
  TallyCombiner,
  WriteParts,
});

export interface BackfillGraph {
  readonly runtimeName: string;
  readonly backfill: Backfill;
  readonly meter: MeterVersion;
  /** Whose claimed parts are counted. */
  readonly worker: string;
}

/** Parts that one bundle reads at once: while one waits for its answer, another is folded. */
const PARTS_READ_AT_ONCE = 2;
/** Transactions that one bundle has under way. */
const WRITES_AT_ONCE = 4;

/**
 * Counts the claimed parts of a backfill: from one element on, whatever it is, they are listed, dealt out, read, recounted, written, and ended when all
 * of a part is written.
 */
export function buildBackfillParts(
  begin: PCollection<unknown>,
  { runtimeName, backfill, meter, worker }: BackfillGraph,
): void {
  const { namespace, version, shards } = backfill;
  const claimed = { namespace, meter: meter.key, version, worker, shards };
  const of = { namespace, meter, backfilled: daysOf(backfill), only: 'backfill' } as const;
  const parts = apply('list', begin, asyncParDo(new ListParts(runtimeName, claimed)));
  const dealt = apply('deal out', parts, dealOut(nameOfPart));
  const reading = asyncParDo(new ReadPart(runtimeName, claimed, of), { maxInFlight: PARTS_READ_AT_ONCE });
  const read = apply('read', dealt, reading);
  const recounted = recountFolded(apply('folded', read, syncParDo(new SelectFolded())), of);
  const writing = asyncParDo(new WriteParts(runtimeName, claimed, meter), { maxInFlight: WRITES_AT_ONCE });
  const written = apply('write', recounted, writing);
  const wholly = apply('read wholly', read, syncParDo(new SelectTallies<PartTally>()));
  const tallies = flatten('tallies', [wholly, written]);
  const done = apply('done', tallies, combinePerKey(partOfTally, new TallyCombiner()));
  apply('end', done, asyncParDo(new EndParts(runtimeName, claimed)));
}
