import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';

/** What waits in the feeds of a fleet, and who works on it. */
export interface ScalerSignal {
  readonly at: Instant;
  /** Published and not acknowledged, in all feeds. */
  readonly backlogMessages: number;
  /** Of the message that has waited longest; 0 without any. */
  readonly oldestAgeSeconds: number;
  /** Those that live. */
  readonly workers: number;
}

export interface ScalingBounds {
  readonly workersMin: number;
  readonly workersMax: number;
  /** What a worker works off in a second. */
  readonly messagesPerWorkerSecond: number;
  /** A backlog is to be worked off within so long. */
  readonly drainSeconds: number;
  /** The oldest message may wait so long, whatever the backlog is. */
  readonly ageSecondsMax: number;
  /** A fleet shrinks after it was too large for so long without a break. */
  readonly shrinkAfterSeconds: number;
}

export const DEFAULT_SCALING: ScalingBounds = {
  workersMin: 1,
  workersMax: 64,
  messagesPerWorkerSecond: 1_000,
  drainSeconds: 30,
  ageSecondsMax: 60,
  shrinkAfterSeconds: 300,
};

/** How many workers there should be, and since when fewer would do. */
export interface Scaling {
  readonly workers: number;
  readonly tooManySince: Instant | undefined;
}

/**
 * A fleet that is late although its backlog seems small grows by this factor over those that live: its messages are heavier than was thought,
 * and what was wanted before has not come yet.
 */
const LATE_GROWTH = 1.5;
/** It shrinks by no more at once, since each worker less gives work back. */
const SHRINK_FACTOR = 0.5;
/** Below so much of what its workers can do it is too large: between this and all of it nothing changes. */
const TOO_LARGE_SHARE = 0.6;

/** Grows at once and shrinks slowly, within bounds. A pure function: who scales keeps what it returned last. */
export function wantedWorkers(signal: ScalerSignal, last: Scaling, bounds: ScalingBounds): Scaling {
  const { workersMin, workersMax } = bounds;
  const within = (workers: number): number => Math.min(Math.max(Math.ceil(workers), workersMin), workersMax);
  const load = signal.backlogMessages / (bounds.messagesPerWorkerSecond * bounds.drainSeconds);
  const isLate = signal.oldestAgeSeconds > bounds.ageSecondsMax && signal.backlogMessages > 0;
  const needed = Math.max(load, isLate ? signal.workers * LATE_GROWTH : 0);
  if (within(needed) > last.workers) return { workers: within(needed), tooManySince: undefined };
  if (isLate || load > last.workers * TOO_LARGE_SHARE || within(needed) === within(last.workers))
    return { workers: within(last.workers), tooManySince: undefined };
  const tooManySince = last.tooManySince ?? signal.at;
  if (signal.at - tooManySince < bounds.shrinkAfterSeconds * MICROS_PER_SECOND)
    return { workers: within(last.workers), tooManySince };
  const fewer = Math.max(needed / TOO_LARGE_SHARE, last.workers * SHRINK_FACTOR);
  return { workers: within(fewer), tooManySince: undefined };
}
