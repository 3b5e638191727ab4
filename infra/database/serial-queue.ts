import { StoreFailure } from '#infra/database/errors.ts';

/** A queue that only grows is an outage in slow motion: callers hear of it here. */
const MAX_WAITING = 10_000;

/** Runs tasks one after the other, in the order they came. */
export function serialQueue(): <Result>(task: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return (task) => {
    if (waiting >= MAX_WAITING) {
      return Promise.reject(
        new StoreFailure(`${MAX_WAITING} transactions are waiting for the database already`),
      );
    }
    waiting++;
    const run = last.then(task).finally(() => waiting--);
    last = run.catch(() => undefined);
    return run;
  };
}
