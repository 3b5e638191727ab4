type EndWork = () => Promise<void> | void;

/** So long all of it may take together: runners kill a worker that does not end. */
export const WORKER_END_MS = 10_000;

export interface LastWork {
  add(work: EndWork): void;
  /** Does all of it, at once and each once. Returns the errors, one of them for what took longer than `withinMs`. */
  finish(withinMs: number): Promise<unknown[]>;
}

export function createLastWork(): LastWork {
  const works: EndWork[] = [];
  return {
    add: (work) => void works.push(work),
    finish: async (withinMs) => {
      const { promise: late, resolve } = Promise.withResolvers<unknown[]>();
      const error = new Error(`the worker's last work took longer than ${withinMs} ms`);
      const timer = setTimeout(resolve, withinMs, [error]);
      const all = Promise.allSettled(works.splice(0).map(async (work) => work()));
      const failed = all.then((ends) =>
        ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : [])),
      );
      return Promise.race([failed, late]).finally(() => clearTimeout(timer));
    },
  };
}

const lastWork = createLastWork();

/**
 * Registers what is to be done when this worker ends: because the runner ended its control stream, because it was asked to by a signal, or
 * because the process that started it has died. It begins when the DoFns were torn down, and is best effort: a worker may be killed.
 */
export const onWorkerEnd = (work: EndWork): void => lastWork.add(work);

/** For the worker's program alone. */
export const endWorker = (): Promise<unknown[]> => lastWork.finish(WORKER_END_MS);
