import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { instantOf, type BeamInstant } from '#pipelines/beam/sdk.ts';

/** When an event happened, as Beam counts: in whole milliseconds, which hours and days are made of. */
export const timestampOf = ({ time }: { readonly time: number }): BeamInstant =>
  instantOf(Math.floor(time / MICROS_PER_MILLI));
