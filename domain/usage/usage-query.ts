import { timeZone } from '../calendar/time-zone.ts';
import { windowsBetween, type TimeWindow, type WindowUnit } from '../calendar/window.ts';
import { floorToMinute, type DayIndex, type Instant } from '../instant.ts';
import type { Aggregation } from '../metering/accumulator.ts';

/** The name in `groupBy` that stands for whose usage it is. No dimension may have it. */
export const GROUP_BY_SUBJECT = 'subject';

/** A row's place in the order of an answer. What a row is not grouped by is "". */
export interface RowPosition {
  readonly from: Instant;
  readonly subject: string;
  readonly group: string;
}

export interface UsageRequest {
  readonly aggregation: Aggregation;
  readonly from: Instant;
  readonly to: Instant;
  readonly window: WindowUnit;
  readonly timezone: string;
  /** The last UTC day that has day cells; -1 when none has. */
  readonly rolledThrough: DayIndex;
  /** The names of the meter's dimensions, in any order. */
  readonly dimensions?: readonly string[];
  /** Dimensions, and `subject`. */
  readonly groupBy?: readonly string[];
  /** Dimension -> the values that count. */
  readonly filter?: Readonly<Record<string, readonly string[]>>;
  /** Whether each row also has the fingerprint of the events in it. */
  readonly fingerprints?: boolean;
  /** The last row that was answered already. */
  readonly after?: RowPosition;
}

/** A checked question about usage, made by `usageQuery`. It may be narrowed by spreading it; it is no request any more. */
export interface UsageQuery {
  readonly aggregation: Aggregation;
  /** Whole minutes, `from` < `to`. */
  readonly from: Instant;
  readonly to: Instant;
  readonly window: WindowUnit;
  readonly timezone: string;
  readonly rolledThrough: DayIndex;
  /** Sorted, as a group's values are stored. */
  readonly dimensions: readonly string[];
  /** The dimensions that rows are grouped by, sorted, without repetition. */
  readonly groupBy: readonly string[];
  readonly bySubject: boolean;
  readonly filter: Readonly<Record<string, readonly string[]>>;
  readonly fingerprints: boolean;
  readonly after?: RowPosition;
}

export type UsageQueryFault =
  'range_invalid' | 'range_empty' | 'unknown_dimension' | 'position_outside_range' | 'subjects_invalid';

export class UsageQueryError extends Error {
  override readonly name = 'UsageQueryError';
  readonly code: UsageQueryFault;

  constructor(code: UsageQueryFault, message: string) {
    super(message);
    this.code = code;
  }
}

/** Checks a request and brings it into its normal form. Throws `UsageQueryError` or `UnknownTimeZoneError`. */
export function usageQuery(request: UsageRequest): UsageQuery {
  const { groupBy = [], filter = {}, after } = request;
  const dimensions = (request.dimensions ?? []).toSorted();
  const grouped = new Set(groupBy.filter((name) => name !== GROUP_BY_SUBJECT));
  refuseUnknown(dimensions, [...grouped, ...Object.keys(filter)]);
  const { from, to } = checkedRange(request);
  if (after) checkPosition(after, { from, to });
  return {
    aggregation: request.aggregation,
    from,
    to,
    window: request.window,
    timezone: timeZone(request.timezone).name,
    rolledThrough: request.rolledThrough,
    dimensions,
    groupBy: [...grouped].sort(),
    bySubject: groupBy.includes(GROUP_BY_SUBJECT),
    filter,
    fingerprints: request.fingerprints ?? false,
    ...(after ? { after } : {}),
  };
}

function checkedRange(range: { from: Instant; to: Instant }): { from: Instant; to: Instant } {
  if (!Number.isSafeInteger(range.from) || !Number.isSafeInteger(range.to)) {
    throw new UsageQueryError('range_invalid', 'from and to must lie between the years 1685 and 2255');
  }
  const from = floorToMinute(range.from);
  const to = floorToMinute(range.to);
  if (from >= to)
    throw new UsageQueryError('range_empty', 'from must be at least one whole minute before to');
  return { from, to };
}

function checkPosition(after: RowPosition, { from, to }: { from: Instant; to: Instant }): void {
  if (after.from >= from && after.from < to && after.from === floorToMinute(after.from)) return;
  throw new UsageQueryError(
    'position_outside_range',
    'the position to go on from is in no window of the range',
  );
}

function refuseUnknown(dimensions: readonly string[], names: readonly string[]): void {
  const unknown = names.find((name) => !dimensions.includes(name));
  if (unknown === undefined) return;
  throw new UsageQueryError('unknown_dimension', `the meter has no dimension ${JSON.stringify(unknown)}`);
}

export const isGrouped = (query: UsageQuery): boolean => query.bySubject || query.groupBy.length > 0;

/** The windows that are still to be answered: from the window of `after` on, since rows of it may be left. */
export const windowsOf = (query: UsageQuery): Generator<TimeWindow, void> =>
  windowsBetween(timeZone(query.timezone), query.window, startOf(query), query.to);

/** Where reading begins. A position's `from` is the start of a window, so windows are cut the same when an answer goes on. */
export const startOf = (query: UsageQuery): Instant => query.after?.from ?? query.from;

/**
 * The query's first `count` windows, so that a page loads the cells of a page however long the range is. Windows end where they would
 * have ended: when `to` comes before the query's, the rest is the query with that `to` as its `from` and no `after`.
 */
export function firstWindows(query: UsageQuery, count: number): UsageQuery {
  let to = startOf(query);
  for (const window of windowsOf(query).take(count)) to = window.to;
  return { ...query, to };
}
