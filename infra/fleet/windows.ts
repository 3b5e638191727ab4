import { MICROS_PER_SECOND } from '#domain/instant.ts';

/** A worker says so often what it answers for. */
export const CLAIM_EVERY_MS = 1_000;
/** A claim that is older is stale: its worker may have been given anything since. A worker that cannot make one for so long takes nothing in. */
export const CLAIM_FRESH_MICROS = 20 * MICROS_PER_SECOND;
/** How far the clocks of two machines may be apart. */
export const CLOCK_SKEW_MICROS = MICROS_PER_SECOND;
/**
 * A message whose lease has ended is delivered again within so many acknowledgement deadlines, while somebody has room for it. Measured on
 * the emulator after kills: mostly one, up to four where another subscriber was there at once.
 */
export const REDELIVERY_DEADLINES = 5;

/** A topic that knows itself delivered only up to longer ago had no room meanwhile. */
export const STEADY_LAG_MICROS = 10 * MICROS_PER_SECOND;

/** The times that the watermark of a fleet is reckoned with, in microseconds; decision 0032 derives them. */
export interface FleetWindows {
  readonly freshMicros: number;
  readonly skewMicros: number;
  readonly steadyLagMicros: number;
  /** A message whose lease has ended is with somebody after so long, if one had room all the while. */
  readonly redeliveryMicros: number;
  /** A worker holds no lease any more so long after its last claim. */
  readonly leaseEndMicros: number;
  /** A worker answers for a message so long after its lease has ended. */
  readonly rememberMicros: number;
  /** The claim of a worker that says nothing any more counts at least so long. */
  readonly expiryMicros: number;
}

/** The windows for a subscription with this acknowledgement deadline. */
export function fleetWindows(ackDeadlineSeconds: number): FleetWindows {
  const deadlineMicros = ackDeadlineSeconds * MICROS_PER_SECOND;
  const [freshMicros, skewMicros] = [CLAIM_FRESH_MICROS, CLOCK_SKEW_MICROS];
  const redeliveryMicros = REDELIVERY_DEADLINES * deadlineMicros;
  const leaseEndMicros = freshMicros + deadlineMicros + skewMicros;
  const margin = 2 * (freshMicros + skewMicros);
  return {
    freshMicros,
    skewMicros,
    steadyLagMicros: STEADY_LAG_MICROS,
    redeliveryMicros,
    leaseEndMicros,
    rememberMicros: redeliveryMicros + margin,
    expiryMicros: leaseEndMicros + redeliveryMicros + margin,
  };
}
