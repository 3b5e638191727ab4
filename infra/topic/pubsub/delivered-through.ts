import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { DELIVERY_DELAY_MS_MAX } from './limits.ts';

/**
 * How far a topic is delivered, as a handle can tell that hears of nothing but its own messages: while it had room all the time, and what
 * came was fresh, everything published some seconds ago has been delivered, to it or to another handle. An estimate for emulators, which
 * rests on a bound on how late a message is delivered to who waits for it.
 */
export interface DeliveredThrough {
  /** From now on a message would be delivered. */
  attentive(now: Instant): void;
  /** From now on messages may pile up at the server. */
  inattentive(now: Instant): void;
  /** A message came: one that is not fresh shows that others may be waiting at the server. */
  delivered(publishTime: Instant, now: Instant): void;
  /** After a seek: everything from there on comes again. */
  backTo(at: Instant, now: Instant): void;
  /** Everything published before was delivered; 0 while nothing is known. */
  through(now: Instant): Instant;
}

export function createDeliveredThrough(
  delayMicros = DELIVERY_DELAY_MS_MAX * MICROS_PER_MILLI,
): DeliveredThrough {
  let reached: Instant = 0;
  /** Attentive and up to date since. */
  let since: Instant | undefined;

  const through = (now: Instant): Instant => {
    if (since !== undefined && now - since >= delayMicros) reached = Math.max(reached, now - delayMicros);
    return reached;
  };
  return {
    attentive: (now) => void (since ??= now),
    inattentive: (now) => {
      through(now);
      since = undefined;
    },
    delivered: (publishTime, now) => {
      if (since !== undefined && publishTime < now - delayMicros) since = now;
    },
    backTo: (at, now) => {
      reached = Math.min(through(now), at);
      if (since !== undefined) since = now;
    },
    through,
  };
}
