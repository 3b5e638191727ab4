import { METER_DIMENSIONS_MAX, PATH_SEGMENTS_MAX } from '#domain/limits.ts';
import { QueryRefused } from '../errors.ts';
import type { Parameters } from './parameters.ts';
import { WINDOWS, type Window } from './windows.ts';

export const USAGE_ROWS_MAX = 10_000_000;
export const FINGERPRINT_ROWS_MAX = 10_000_000;

/** What the warehouse can aggregate. A time-weighted sum needs the level before the range, which only the cells carry. */
export const USAGE_AGGREGATIONS = ['count', 'sum', 'min', 'max', 'average', 'unique', 'latest'] as const;
export type UsageAggregation = (typeof USAGE_AGGREGATIONS)[number];

/** The names on the way to a member of `data`. */
export type MemberPath = readonly string[];

export interface UsageQuestion {
  readonly aggregation: UsageAggregation;
  readonly window: Window;
  readonly bySubject: boolean;
  readonly dimensions: readonly MemberPath[];
  /** Undefined for a count. */
  readonly value: MemberPath | undefined;
}

/** Reads `aggregation`, `value`, `window`, `bySubject` and `dimensions`. Throws `QueryRefused`. */
export function readUsageQuestion(parameters: Parameters): UsageQuestion {
  const aggregation = parameters.oneOf('aggregation', USAGE_AGGREGATIONS);
  const window = parameters.oneOf('window', WINDOWS, 'none');
  const bySubject = parameters.flag('bySubject');
  const dimensions = (parameters.optionalTexts('dimensions') ?? []).map(memberPath);
  if (dimensions.length > METER_DIMENSIONS_MAX) {
    throw new QueryRefused(
      `${dimensions.length} dimensions in a query, the limit is ${METER_DIMENSIONS_MAX}`,
    );
  }
  const value = aggregation === 'count' ? undefined : memberPath(parameters.text('value'));
  return { aggregation, window, bySubject, dimensions, value };
}

/** A dotted path into `data`, taken apart. Throws `QueryRefused` where it is none. */
export function memberPath(path: string): MemberPath {
  const segments = path.split('.');
  if (segments.includes('')) throw new QueryRefused(`not a dotted path of names: ${path}`);
  if (segments.length > PATH_SEGMENTS_MAX)
    throw new QueryRefused(`a path of more than ${PATH_SEGMENTS_MAX} names: ${path}`);
  return segments;
}
