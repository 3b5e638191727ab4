/** Lots that are under way at once: while one waits for its store, the next is counted. More of them would only take turns at the same cells. */
export const LOTS_AT_ONCE = 2;
/** A lot takes no further bundle when it has so many deliveries; a bundle that has more of them is a lot of its own. */
export const LOT_MAX = 2_000;

type Commit<Item> = (items: readonly Item[]) => Promise<void>;

/** What a bundle waits for. */
interface Waiting<Item> {
  readonly items: readonly Item[];
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Commits what the bundles of a process bring, in lots: what comes while others are under way waits, and is committed together. Some runners
 * run many bundles of a sink at a time, of few deliveries each: side by side they would write the same cells in a transaction each, and all of
 * them would be done when the last one is. A bundle's promise settles as its lot does: rejected by whatever `commit` throws of it.
 */
export function commitTogether<Item>(commit: Commit<Item>): Commit<Item> {
  const waiting: Waiting<Item>[] = [];
  let running = 0;
  const run = async (lot: readonly Waiting<Item>[]): Promise<void> => {
    try {
      await commit(lot.flatMap(({ items }) => items));
      for (const { done } of lot) done();
    } catch (error) {
      for (const { failed } of lot) failed(error);
    }
  };
  const start = (): void => {
    while (running < LOTS_AT_ONCE && waiting.length > 0) {
      running++;
      void run(takeLot(waiting)).finally(() => {
        running--;
        start();
      });
    }
  };
  return async (items) => {
    if (items.length === 0) return;
    const { promise, resolve: done, reject: failed } = Promise.withResolvers<void>();
    waiting.push({ items, done, failed });
    start();
    await promise;
  };
}

/** Takes the first that wait, as many as a lot may have. */
function takeLot<Item>(waiting: Waiting<Item>[]): readonly Waiting<Item>[] {
  let [count, size] = [0, 0];
  for (const { items } of waiting) {
    if (count > 0 && size + items.length > LOT_MAX) break;
    count++;
    size += items.length;
  }
  return waiting.splice(0, count);
}
