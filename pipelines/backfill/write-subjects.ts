import { rowsOf, ROWS_PER_TRANSACTION, writeSubjectDays } from '#infra/usage/write-subject-days.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import type { SubjectRecount } from '#pipelines/recount/recounted.ts';
import { backfillRuntimes } from './runtime.ts';

const buffers = new WeakMap<WriteSubjects, { days: SubjectRecount[]; rows: number }>();

/**
 * The sink of the backfill's graph: absolute rows of one subject after another, some in one transaction. Each checks that the part is still this
 * worker's, so that a bundle that is run again, or late, changes nothing.
 */
export class WriteSubjects implements AsyncDoFn<SubjectRecount> {
  readonly runtimeName: string;

  constructor(runtimeName: string) {
    this.runtimeName = runtimeName;
  }

  startBundle(): void {
    buffers.set(this, { days: [], rows: 0 });
  }

  process(recount: SubjectRecount): Promise<void> | void {
    const buffer = buffers.get(this);
    if (buffer === undefined) throw new Error('WriteSubjects was not begun');
    const rows = rowsOf(recount);
    // One that fills a transaction by itself has its own.
    if (rows >= ROWS_PER_TRANSACTION) return this.write([recount]);
    buffer.days.push(recount);
    buffer.rows += rows + 1;
    if (buffer.rows < ROWS_PER_TRANSACTION) return;
    buffers.set(this, { days: [], rows: 0 });
    return this.write(buffer.days);
  }

  async finishBundle(): Promise<void> {
    await this.write(buffers.get(this)?.days ?? []);
    buffers.delete(this);
  }

  private async write(days: readonly SubjectRecount[]): Promise<void> {
    const runtime = backfillRuntimes.named(this.runtimeName);
    await writeSubjectDays(runtime.database, runtime.write, days);
    for (const { hours, unmeasured } of days)
      runtime.written({ subjects: 1, hours: hours.length, unmeasured });
  }
}
