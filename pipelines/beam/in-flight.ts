import type { ProcessResult } from './sdk.ts';

/** The asynchronous work of one bundle that has not ended, and the first error among it. */
export interface InFlight {
  /** Forgets the last bundle's error. */
  begin(): void;
  /** Returns a promise, which holds the producer back, only when too much is in flight. */
  track(work: Promise<void>): ProcessResult;
  /** As if tracked work had rejected. */
  fail(error: unknown): void;
  /** Resolves when nothing is in flight; never rejects. */
  drain(): Promise<void>;
  /** Throws the first error since `begin`, if there was one. */
  rethrow(): void;
}

/** `max`: how much may be in flight before its producer has to wait. */
export function createInFlight(max: number): InFlight {
  const pending = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => void (failure ??= { error });
  return {
    fail,
    begin: () => (failure = undefined),
    track: (work) => {
      const tracked = work.catch(fail).finally(() => pending.delete(tracked));
      pending.add(tracked);
      return pending.size < max ? null : Promise.race(pending);
    },
    drain: async () => {
      while (pending.size > 0) await Promise.all(pending);
    },
    rethrow: () => {
      if (failure !== undefined) throw failure.error;
    },
  };
}
