import { MICROS_PER_DAY, MICROS_PER_MINUTE } from './instant.ts';

/** The limits of the contract, in one place. What exceeds one gets a clear error that names it. */

/** id, source, type, subject: bytes of UTF-8 each. */
export const NAME_BYTES_MAX = 256;
/** `data` in canonical form, bytes of UTF-8. */
export const DATA_BYTES_MAX = 64 * 1_024;
/** A whole message as published. Anything larger cannot hold an event within the other limits and is not even parsed. */
export const MESSAGE_BYTES_MAX = 1_024 * 1_024;

export const METER_DIMENSIONS_MAX = 10;
export const DIMENSION_VALUE_BYTES_MAX = 256;
export const METERS_PER_EVENT_TYPE_MAX = 200;
export const FILTER_BYTES_MAX = 1_024;
/** A dotted path into `data` cannot be deeper than `data` itself. */
export const PATH_SEGMENTS_MAX = 8;
export const PATH_BYTES_MAX = 256;
export const METER_NAME_BYTES_MAX = 256;

/** An event may be this much older than its message. */
export const HORIZON_MICROS = 45 * MICROS_PER_DAY;
/** An event may be this far ahead of its message. */
export const FUTURE_MICROS = 5 * MICROS_PER_MINUTE;

export const DISTINCT_VALUES_PER_QUERY_MAX = 100_000;

/** Mutations of one commit, counted as Spanner does: one per column written plus one per index entry. */
export const MUTATIONS_PER_COMMIT_MAX = 60_000;
