import type { Instant } from '../instant.ts';
import { FUTURE_MICROS, HORIZON_MICROS } from '../limits.ts';
import type { Refusal } from './dead-letter.ts';

/**
 * Age is judged by the publish time of the message, not by the clock of whoever reads it, so that every delivery of a message is
 * judged alike. Both bounds are inclusive.
 */
export function judgeAge(time: Instant, publishTime: Instant): Refusal | undefined {
  if (publishTime - time > HORIZON_MICROS)
    return { reason: 'too_old', detail: 'time is more than 45 days before its publish time' };
  return judgeAhead(time, publishTime);
}

/** Of an event that is imported: as old as it is, but of our own time, and no further ahead than any other. */
export function judgeImported(time: Instant, publishTime: Instant): Refusal | undefined {
  if (time < 0) return { reason: 'too_old', detail: 'time is before 1970' };
  return judgeAhead(time, publishTime);
}

function judgeAhead(time: Instant, publishTime: Instant): Refusal | undefined {
  if (time - publishTime > FUTURE_MICROS)
    return { reason: 'in_the_future', detail: 'time is more than 5 minutes after its publish time' };
  return undefined;
}
