import { dayStart, hourStart, MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { instantOf, type BeamInstant } from '#pipelines/beam/sdk.ts';
import type { RecountedHour, RecountedValue } from './recounted.ts';

/** As Beam counts: in whole milliseconds, which hours and days are made of. */
const beamInstant = (at: Instant): BeamInstant => instantOf(Math.floor(at / MICROS_PER_MILLI));

/** When an hour begins. */
export const beginOfHour = ({ hour }: RecountedHour): BeamInstant => beamInstant(hourStart(hour));

/** When the day of a value begins. */
export const beginOfDay = ({ day }: RecountedValue): BeamInstant => beamInstant(dayStart(day));
