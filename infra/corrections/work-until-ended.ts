import { untilKnown } from '#infra/database/until-known.ts';
import type { Scheduler } from '#infra/scheduler.ts';

/** An operation that is kept in a row and worked on in steps, by one worker at a time: a correction, an import. */
export interface Operation<Row> {
  readonly scheduler: Scheduler;
  readonly signal?: AbortSignal | undefined;
  /** Takes its row; undefined when there is nothing left to do, `wait` while it is in other hands. */
  take(): Promise<Row | 'wait' | undefined>;
  /** Does what the row's state leaves to do, and ends with the next state. */
  step(row: Row): Promise<void>;
  /** Whether an error means that another worker has it now, or somebody has changed what is to be done with it. */
  isLost(error: unknown): boolean;
}

/** While another worker has an operation it is looked at so often whether it is done, or gone. */
const WAIT_MS = 500;

/** Goes from step to step until nothing is left to do. Throws what a step throws; the operation stays open. */
export async function workUntilEnded<Row extends object>(operation: Operation<Row>): Promise<void> {
  const { scheduler, signal } = operation;
  for (;;) {
    signal?.throwIfAborted();
    const row = await untilKnown(() => operation.take());
    if (row === undefined) return;
    if (row === 'wait') {
      await scheduler.sleep(WAIT_MS, signal);
      continue;
    }
    try {
      await operation.step(row);
    } catch (error) {
      // Whoever has it now brings it to its end, and what is to be done is looked up again.
      if (!operation.isLost(error)) throw error;
    }
  }
}
