import { StoreFailure } from './errors.ts';
import type { Snapshot } from './database.ts';

/** The places of the snapshots that may be open at once: whoever finds none waits, and whoever waits longest comes next. */
export interface SnapshotPlaces {
  /** Opens a snapshot in a place, which `open` gives back by calling `ended` once. Refused after `close`. */
  take(open: (ended: () => void) => Snapshot | Promise<Snapshot>): Promise<Snapshot>;
  /** Those that wait are refused. */
  close(): void;
}

export function createSnapshotPlaces(most: number): SnapshotPlaces {
  let taken = 0;
  let closed = false;
  const waiting: (() => void)[] = [];
  /** Whoever waits longest takes over the place. */
  const ended = (): void => {
    const next = waiting.shift();
    if (next === undefined) taken--;
    else next();
  };
  return {
    take: async (open) => {
      if (taken < most) taken++;
      else await new Promise<void>((resolve) => void waiting.push(resolve));
      try {
        if (closed) throw new StoreFailure('the database was closed before the snapshot was taken');
        return await open(ended);
      } catch (error) {
        ended();
        throw error;
      }
    },
    close: () => {
      closed = true;
      for (const resume of waiting.splice(0)) resume();
    },
  };
}
