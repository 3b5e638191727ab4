import type { Instant } from '../instant.ts';

/**
 * The life of a hold. `open`: until its time to live ends. `pending`: until the watermark says that its event cannot come any more; still
 * held. `settled`: its event was committed. `released`: given back. `lapsed`: its event never came. Only open and pending ones are held.
 */
export type HoldState = 'open' | 'pending' | 'settled' | 'released' | 'lapsed';

/** The states as they are stored: a hold whose time has run out is pending without anybody's having written so. */
export const stateAt = (stored: HoldState, expiresAt: Instant, now: Instant): HoldState =>
  stored === 'open' && expiresAt <= now ? 'pending' : stored;

export const isHeld = (state: HoldState): boolean => state === 'open' || state === 'pending';
