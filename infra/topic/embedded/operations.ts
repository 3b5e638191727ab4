import { TopicUnavailable } from '../errors.ts';

export interface Operations {
  readonly run: <Result>(what: string, work: () => Result | Promise<Result>) => Promise<Result>;
  readonly close: () => Promise<void>;
}

/** Nothing begins once the topic is being closed, and it is only closed when what had begun has ended. */
export function createOperations(closeAll: () => Promise<void>): Operations {
  const running = new Set<Promise<unknown>>();
  let closed: Promise<void> | undefined;
  return {
    run: async (what, work) => {
      if (closed !== undefined) throw new TopicUnavailable(`cannot ${what}: the topic is closed`);
      const result = explained(what, work);
      running.add(result);
      try {
        return await result;
      } finally {
        running.delete(result);
      }
    },
    close: () => (closed ??= Promise.allSettled(running).then(closeAll)),
  };
}

/** Where it is the machine that refuses, the error says that the topic is out of order. */
export async function explained<Result>(what: string, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isOfTheMachine(error)) throw new TopicUnavailable(`cannot ${what}`, { cause: error });
    throw error;
  }
}

/** Of the file system or of SQLite, and not a mistake of the caller. */
const isOfTheMachine = (error: unknown): boolean =>
  error instanceof Error && ('errno' in error || ('code' in error && error.code === 'ERR_SQLITE_ERROR'));
