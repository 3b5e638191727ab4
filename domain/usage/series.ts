import type { UsageQuery } from './usage-query.ts';

/** Whose usage, of which group: what a row of an answer is about. One object a series, so that it is a key as it stands. */
export interface Series {
  /** "" when rows are not grouped by subject. */
  readonly subject: string;
  /** The canonical JSON array of the values of the query's `groupBy`; "" when rows are not grouped by dimensions. */
  readonly group: string;
}

/** The series that a group of a subject counts in; `undefined` when the filter leaves it out. */
export type SeriesOf = (subject: string, group: string) => Series | undefined;

/** The series of everything together, when a query is not grouped. */
export const TOTAL_SERIES: Series = { subject: '', group: '' };

/** Each group text is read once, however many cells have it. */
export function seriesSelector(query: UsageQuery): SeriesOf {
  const selected = memo(groupSelector(query));
  const bySubject = memo((subject: string) => memo((group: string): Series => ({ subject, group })));
  return (subject, group) => {
    const text = selected(group);
    if (text === undefined) return undefined;
    if (text === '' && !query.bySubject) return TOTAL_SERIES;
    return bySubject(query.bySubject ? subject : '')(text);
  };
}

function memo<Key, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    if (known.has(key)) return known.get(key) as Value;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}

function groupSelector(query: UsageQuery): (group: string) => string | undefined {
  const filters = Object.entries(query.filter).map(
    ([dimension, accepted]) => [query.dimensions.indexOf(dimension), new Set(accepted)] as const,
  );
  const kept = query.groupBy.map((dimension) => query.dimensions.indexOf(dimension));
  // Without filter or groups the total view is read, whose group is not one of dimension values.
  if (filters.length === 0 && kept.length === 0) return () => '';
  return (group) => {
    const values = groupValues(group, query.dimensions.length);
    if (!filters.every(([place, accepted]) => accepted.has(values[place] ?? ''))) return undefined;
    return kept.length === 0 ? '' : JSON.stringify(kept.map((place) => values[place]));
  };
}

/** The dimension values of a stored group. A group that is none is a defect of whoever wrote it. */
export function groupValues(group: string, count: number): readonly string[] {
  let values: unknown;
  try {
    values = JSON.parse(group);
  } catch (cause) {
    throw new Error(`a stored group is no JSON: ${group}`, { cause });
  }
  if (isStrings(values) && values.length === count) return values;
  throw new Error(`a stored group does not have ${count} dimension values: ${group}`);
}

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The order of rows in a window: by subject, then by the text of the group, both by UTF-16 code units. */
export const compareSeries = (a: Series, b: Series): number =>
  compareText(a.subject, b.subject) || compareText(a.group, b.group);
