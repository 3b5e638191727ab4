import type { Instant } from '#domain/instant.ts';
import { QueryRefused } from '../errors.ts';
import type { Parameters } from './parameters.ts';

/** A page of events. Whoever wants all of them asks again after the last one of each page. */
export const EVENT_ROWS_MAX = 100_000;
/** An answer of more is a question for fewer subjects or a shorter time. */
export const METERED_ROWS_MAX = 20_000_000;

/** Which of the events, in the order of (time, identity). */
export interface EventPage {
  /** Undefined: all there are, or an error if those are too many. */
  readonly limit: number | undefined;
  /** 32 hex digits. */
  readonly identity: string | undefined;
  /** The last event of the page before. */
  readonly after: { readonly time: Instant; readonly identity: string } | undefined;
}

/** Reads `identity`, `limit`, and `afterTime` with `afterIdentity` where there are pages. Throws `QueryRefused`. */
export function readEventPage(parameters: Parameters, pages: boolean): EventPage {
  const limit = parameters.optionalCount('limit');
  if (limit !== undefined && limit > EVENT_ROWS_MAX)
    throw new QueryRefused(`a page of ${limit} events, the limit is ${EVENT_ROWS_MAX}`);
  const identity = parameters.optionalText('identity');
  const time = pages ? parameters.optionalInstant('afterTime') : undefined;
  const after = pages ? parameters.optionalText('afterIdentity') : undefined;
  if ((time === undefined) !== (after === undefined))
    throw new QueryRefused('afterTime and afterIdentity go together');
  return {
    limit,
    identity: identity === undefined ? undefined : hashOf('identity', identity),
    after:
      time === undefined || after === undefined
        ? undefined
        : { time, identity: hashOf('afterIdentity', after) },
  };
}

const HASH = /^[0-9a-f]{32}$/;

function hashOf(name: string, hex: string): string {
  if (!HASH.test(hex)) throw new QueryRefused(`parameter ${name} is not 32 hex digits`);
  return hex;
}
