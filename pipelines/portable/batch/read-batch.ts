import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type { Recounted } from '#pipelines/recount/recounted.ts';

/** What a reader hands on at once: some of what it has folded; with the last of it, what was read in all. */
export interface ReadBatch<Tally> {
  readonly folded: readonly Recounted[];
  readonly tally?: Tally;
}

/** What is recounted of what was read. */
export class SelectFolded implements SyncDoFn<ReadBatch<unknown>, Recounted> {
  process({ folded }: ReadBatch<unknown>, emit: Emit<Recounted>): void {
    for (const each of folded) emit(each);
  }
}

/** What was read in all. */
export class SelectTallies<Tally> implements SyncDoFn<ReadBatch<Tally>, Tally> {
  process({ tally }: ReadBatch<Tally>, emit: Emit<Tally>): void {
    if (tally !== undefined) emit(tally);
  }
}
