import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type { Matched } from '#pipelines/recount/recounted.ts';

/** What a reader hands on at once: some of what it has matched; with the last of it, what was read in all. */
export interface ReadBatch<Tally> {
  readonly matched: readonly Matched[];
  readonly tally?: Tally;
}

/** What is recounted of what was read. */
export class SelectMatched implements SyncDoFn<ReadBatch<unknown>, Matched> {
  process({ matched }: ReadBatch<unknown>, emit: Emit<Matched>): void {
    for (const each of matched) emit(each);
  }
}

/** What was read in all. */
export class SelectTallies<Tally> implements SyncDoFn<ReadBatch<Tally>, Tally> {
  process({ tally }: ReadBatch<Tally>, emit: Emit<Tally>): void {
    if (tally !== undefined) emit(tally);
  }
}
