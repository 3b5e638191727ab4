import { createInFlight } from './in-flight.ts';
import type { ProcessResult, Receiver, WindowedValue } from './sdk.ts';
import { instantOf } from './sdk.ts';
import type { PollingSource, PollResume } from './splittable-do-fn.ts';

/** The watermark of an element that no round has given one: less than every time, and an integer that a number holds. */
export const NO_WATERMARK_MS = Number.MIN_SAFE_INTEGER;

/** What is left to read of an element, as it travels: the restriction, and the greatest watermark up to it. */
export interface Remainder {
  readonly key: string;
  readonly value: number;
}
export interface Restricted {
  readonly key: unknown;
  readonly value: Remainder;
}
/** As runners hold it: with a size, by which they may compare. */
export interface Sized {
  readonly key: Restricted;
  readonly value: number;
}

/** What a round left to do. */
export interface Unread {
  readonly element: WindowedValue<Sized>;
  readonly watermarkMs: number;
  readonly resumeAfterMs: number;
}

export type AnySource = PollingSource<unknown, unknown>;

/** Values of the round are where the element is, at times of their own. */
function createOutput(receiver: Receiver, { windows, pane }: WindowedValue<Sized>) {
  const sending = createInFlight(Infinity);
  let open = true;
  const send = (value: unknown, timestampMs: number): ProcessResult => {
    if (!open) throw new Error('emit was called after poll had ended');
    if (!Number.isSafeInteger(timestampMs))
      throw new RangeError(`${timestampMs} is no time in whole milliseconds`);
    return receiver.receive({ value, windows, pane, timestamp: instantOf(timestampMs) });
  };
  return {
    emit: (value: unknown, timestampMs: number): ProcessResult => {
      try {
        const result = send(value, timestampMs);
        if (result !== null) void sending.track(result);
        return result;
      } catch (error) {
        // A source that caught it would go on behind a value that is lost: the round fails whatever the source does.
        sending.fail(error);
        throw error;
      }
    },
    /** Takes no more, and resolves when the consumers have all of it. */
    end: (): Promise<void> => {
      open = false;
      return sending.drain();
    },
    rethrow: sending.rethrow,
  };
}

function checkResume({ watermarkMs, resumeAfterMs }: PollResume): void {
  if (!Number.isSafeInteger(watermarkMs))
    throw new RangeError(`the watermark ${watermarkMs} is no time in whole milliseconds`);
  if (!(resumeAfterMs >= 0 && Number.isFinite(resumeAfterMs)))
    throw new RangeError(`a round cannot begin in ${resumeAfterMs} ms`);
}

function remainderOf(element: WindowedValue<Sized>, resume: PollResume): Unread {
  checkResume(resume);
  const { key: restricted, value: size } = element.value;
  // A promise stays one: what an earlier round has said of the times to come binds the later ones, also in another process.
  const watermarkMs = Math.max(restricted.value.value, resume.watermarkMs);
  const remainder: Remainder = { key: resume.restriction, value: watermarkMs };
  const value: Sized = { key: { key: restricted.key, value: remainder }, value: size };
  return { element: { ...element, value }, watermarkMs, resumeAfterMs: resume.resumeAfterMs };
}

/** Runs one round. Resolves with what is left, when the consumers have all that it emitted; rejects with the first error. */
export async function runRound(
  source: AnySource,
  element: WindowedValue<Sized>,
  receiver: Receiver,
  ending: AbortSignal,
): Promise<Unread | undefined> {
  const { key: polled, value: remainder } = element.value.key;
  const { emit, end, rethrow } = createOutput(receiver, element);
  let resume: PollResume | undefined;
  try {
    const { key: restriction, value: watermarkMs } = remainder;
    resume = await source.poll({ element: polled, restriction, watermarkMs, ending, emit });
  } finally {
    await end();
  }
  rethrow();
  return resume && remainderOf(element, resume);
}
