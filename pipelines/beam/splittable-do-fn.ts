// An unbounded source in TypeScript. To runners it is Beam's own splittable DoFn: they keep what is left of each element (its
// residual) and hand it back, to whatever worker, after the delay that the source asked for. So a source lives as long as its job.
import './compat.ts';
import { parDoTransform } from './par-do.ts';
import type { ProcessResult, Transform } from './sdk.ts';
import { standardCoders } from './sdk.ts';
import { SPLITTABLE_DO_FN_URN } from './splittable-operators.ts';

export { NO_WATERMARK_MS } from './poll-round.ts';

type MaybePromise<T> = T | Promise<T>;

/**
 * A source that is asked again and again for what there is. It is an instance of a registered class with plain fields; each operator
 * gets its own copy of it.
 */
export interface PollingSource<E, T> {
  /** Where the first round of an element begins: any text, which only the source reads. Called without `setup`. */
  restriction(element: E): string;
  /** Once for each copy, before its first round. */
  setup?(): MaybePromise<void>;
  /** Once, when the copy is not used any more. As elsewhere in Beam this is not promised: a process may be killed. */
  teardown?(): MaybePromise<void>;
  /**
   * One round: emits what there is, waits a while where there is nothing, and returns when to go on; `undefined` means that the element
   * is read to its end. A round ends by itself, since nothing of it is anybody's before its bundle has ended. Rounds of different
   * elements overlap on one copy; those of one element never do, unless the runner lost a worker that is still alive.
   * A round that rejects fails its bundle: the runner then runs the bundle again from the same restrictions, or fails the job.
   */
  poll(round: PollRound<E, T>): Promise<PollResume | undefined>;
}

export interface PollRound<E, T> {
  readonly element: E;
  /** What the last round of the element returned, or what `restriction` gave. A round may see the same one again. */
  readonly restriction: string;
  /** The greatest watermark that the rounds before this one returned, in ms since the epoch; NO_WATERMARK_MS if there was none. */
  readonly watermarkMs: number;
  /** Aborted when the runner wants the round to end: it should return soon, with what is left as its restriction. */
  readonly ending: AbortSignal;
  /**
   * Gives a value with its event time in ms since the epoch, which may lie before the watermark. A promise means that the consumers have
   * enough: await it before emitting more. Throws once `poll` has ended, and RangeError where the time is no whole number.
   */
  emit(value: T, timestampMs: number): ProcessResult;
}

export interface PollResume {
  /** What is left: where the next round begins. */
  readonly restriction: string;
  /** A promise about times: values from here on are not before it, in ms since the epoch. Less than before counts as before. */
  readonly watermarkMs: number;
  /** When the next round should begin, in ms from the end of this one; runners that count in seconds begin it earlier, never later. */
  readonly resumeAfterMs: number;
}

/** What is left of an element, with the greatest watermark of its rounds so far: both travel, so that no restart turns it back. */
const restrictionCoder = new standardCoders.KVCoder(
  new standardCoders.StrUtf8Coder(),
  standardCoders.VarIntCoder.INSTANCE,
);

/** A ParDo that reads each of its input elements with `source`, round by round. Elements must differ: runners tell readers apart by them. */
export function splittableParDo<E, T>(source: PollingSource<E, T>): Transform<E, T> {
  return parDoTransform('splittableParDo', SPLITTABLE_DO_FN_URN, { doFn: source }, { restrictionCoder });
}
