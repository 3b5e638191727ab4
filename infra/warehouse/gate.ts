import { WarehouseUnavailable } from './errors.ts';

/** How many may wait: beyond, more work only makes everything late. */
const WAITING_MAX = 1_000;

/** Lets a bounded number in at once, the others in the order they came. */
export interface Gate {
  readonly closed: boolean;
  enter<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Lets no one in any more and resolves when the last one has left. */
  close(): Promise<void>;
}

export function createGate(atOnce: number): Gate {
  const waiting: (() => void)[] = [];
  let inside = 0;
  let closed = false;
  let emptied: (() => void) | undefined;

  function leave(): void {
    inside--;
    waiting.shift()?.();
    if (inside === 0) emptied?.();
  }

  async function enter<Result>(work: () => Promise<Result>): Promise<Result> {
    if (inside >= atOnce) {
      if (waiting.length >= WAITING_MAX)
        throw new WarehouseUnavailable(`${WAITING_MAX} calls are waiting already`);
      await new Promise<void>((resolve) => {
        waiting.push(() => {
          // The place is taken here, not when the waiter runs: else a newcomer could slip in between.
          inside++;
          resolve();
        });
      });
    } else inside++;
    try {
      if (closed) throw new WarehouseUnavailable('the warehouse is closed');
      return await work();
    } finally {
      leave();
    }
  }

  return {
    get closed() {
      return closed;
    },
    enter,
    close: async () => {
      closed = true;
      if (inside > 0) await new Promise<void>((resolve) => (emptied = resolve));
    },
  };
}
