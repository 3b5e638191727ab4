import type { Scheduler } from '#infra/scheduler.ts';
import { Problem } from './problem.ts';

/** A reader that takes nothing for so long keeps what its answer is read from, and is cut off. */
export const STALL_MS = 20_000;
/** Each holds a snapshot or a query, of which checks and other questions need theirs. */
export const STREAMS_MAX = 8;

const openStreams = new WeakMap<object, number>();

/** Takes one of the places for answers that are read from `store` as they are taken; returns how to give it back. Throws the problem `too_many_streams`. */
export function takePlace(store: object): () => void {
  const open = openStreams.get(store) ?? 0;
  if (open >= STREAMS_MAX)
    throw new Problem('too_many_streams', `${STREAMS_MAX} answers of CSV are being read already`, {
      headers: { 'Retry-After': '5' },
    });
  openStreams.set(store, open + 1);
  return () => void openStreams.set(store, (openStreams.get(store) ?? 1) - 1);
}

/** Resolves when the chunk was taken; throws when the reader takes none for too long, or none any more. */
export async function taken(scheduler: Scheduler, write: Promise<void>): Promise<void> {
  const waiting = new AbortController();
  const stalled = scheduler.sleep(STALL_MS, waiting.signal).then(() => true);
  try {
    if (await Promise.race([write.then(() => false), stalled]))
      throw new Error(`no part of the answer was taken for ${STALL_MS / 1_000} s`);
  } finally {
    waiting.abort();
  }
}
