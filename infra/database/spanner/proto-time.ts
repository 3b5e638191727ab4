import type { protos } from '@google-cloud/spanner';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { StoreFailure } from '../errors.ts';

type ProtoTime = protos.google.protobuf.ITimestamp;

const NANOS_PER_MICRO = 1_000;

/** What is finer than a microsecond is dropped: no commit lies there. */
export function instantOfProto(time: ProtoTime | null | undefined): Instant {
  if (time == null) throw new StoreFailure('Spanner answered without the time that was asked for');
  return Number(time.seconds ?? 0) * MICROS_PER_SECOND + Math.floor((time.nanos ?? 0) / NANOS_PER_MICRO);
}

export function protoTimeOf(instant: Instant): { seconds: number; nanos: number } {
  const seconds = Math.floor(instant / MICROS_PER_SECOND);
  return { seconds, nanos: (instant - seconds * MICROS_PER_SECOND) * NANOS_PER_MICRO };
}
