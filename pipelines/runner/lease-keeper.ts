import type { Scheduler } from '#infra/scheduler.ts';
import type { AckId, Topic } from '#infra/topic/topic.ts';

export interface LeaseKeeping {
  /** Stops extending; resolves when an extension under way has ended. */
  end(): Promise<void>;
}

/** Extends the leases of messages in hand at a third of the deadline, so that one missed turn loses nothing. */
export function keepLeases(options: {
  readonly topic: Topic;
  readonly ids: readonly AckId[];
  readonly scheduler: Scheduler;
  readonly deadlineSeconds: number;
}): LeaseKeeping {
  const { topic, ids, scheduler, deadlineSeconds } = options;
  const ended = new AbortController();
  const keep = async (): Promise<void> => {
    for (;;) {
      await scheduler.sleep((deadlineSeconds * 1_000) / 3, ended.signal);
      if (ended.signal.aborted) return;
      // A lease that could not be extended ends, and its message is delivered twice: harmless, so the error waits for the next turn.
      await topic.extend(ids, deadlineSeconds).catch(() => undefined);
    }
  };
  const keeping = keep();
  return {
    end: async () => {
      ended.abort();
      await keeping;
    },
  };
}
