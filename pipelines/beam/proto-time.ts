const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;

/** A time since the epoch, or a length of time, in whole ms, as protobuf writes both: seconds downwards, and the rest in nanoseconds. */
export function secondsAndNanos(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(ms / MS_PER_SECOND);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * MS_PER_SECOND) * NANOS_PER_MS };
}
