import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';

/** A time as the server writes it. */
export interface ServerTime {
  readonly seconds?: number | string | { toString(): string } | null;
  readonly nanos?: number | null;
}

const NANOS_PER_MICRO = 1_000;

/** Whole microseconds; what is finer is dropped, so that a time is never later than the server's. */
export const instantOf = ({ seconds, nanos }: ServerTime): Instant =>
  Number(seconds ?? 0) * MICROS_PER_SECOND + Math.floor((nanos ?? 0) / NANOS_PER_MICRO);

export function serverTimeOf(at: Instant): { seconds: number; nanos: number } {
  const seconds = Math.floor(at / MICROS_PER_SECOND);
  return { seconds, nanos: (at - seconds * MICROS_PER_SECOND) * NANOS_PER_MICRO };
}
