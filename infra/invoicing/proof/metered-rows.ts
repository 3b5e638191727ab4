import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Instant } from '#domain/instant.ts';
import { textOf, timeOf } from '#infra/rating/warehouse-event.ts';
import type { QueryParameters, Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';

/** What one question to the warehouse may name. */
export const SUBJECTS_PER_QUESTION = 1_000;
export const METERS_PER_QUESTION = 200;

/** A place in the order of events: (time, identity). */
export interface EventPlace {
  readonly time: Instant;
  /** 32 hex digits. */
  readonly identity: string;
}

export interface RowsQuestion {
  readonly namespace: string;
  readonly period: TimeWindow;
  /** In any order; none is nobody. */
  readonly subjects: readonly string[];
  /** `key@generation`, at most `METERS_PER_QUESTION`; undefined for the events of all meters and of none. */
  readonly meters: readonly string[] | undefined;
  readonly at: Instant;
  /** Only those after this place. */
  readonly after?: EventPlace | undefined;
  /** At least so many are given if there are so many; all of them without it. */
  readonly limit?: number | undefined;
}

/**
 * The rows of the events that meters counted of any number of subjects, in the order of (time, identity). Of more subjects than one question may
 * name, several answers are merged as they come, so that never more than a row of each is held.
 */
export function meteredRows(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, period, subjects, meters, at, after, limit }: RowsQuestion,
): AsyncIterable<WarehouseRow> {
  const question: QueryParameters = {
    namespace,
    from: formatInstant(period.from),
    to: formatInstant(period.to),
    ...(meters === undefined ? {} : { meters }),
    at: formatInstant(at),
    ...(after === undefined ? {} : { afterTime: formatInstant(after.time), afterIdentity: after.identity }),
    ...(limit === undefined ? {} : { limit }),
  };
  // In their order those of one answer lie together in the warehouse.
  const named = [...new Set(subjects)].sort();
  const answers: AsyncIterable<WarehouseRow>[] = [];
  for (let first = 0; first < named.length; first += SUBJECTS_PER_QUESTION)
    answers.push(
      warehouse.query('metered_events', {
        ...question,
        subjects: named.slice(first, first + SUBJECTS_PER_QUESTION),
      }),
    );
  const [only] = answers;
  return only !== undefined && answers.length === 1 ? only : merged(answers);
}

interface Answer {
  readonly rows: AsyncIterator<WarehouseRow>;
  row: WarehouseRow;
  place: EventPlace;
}

/** Answers are few: the least of their next rows is looked for among all of them. */
async function* merged(answers: readonly AsyncIterable<WarehouseRow>[]): AsyncGenerator<WarehouseRow, void> {
  const open = answers.map((answer) => answer[Symbol.asyncIterator]());
  try {
    const heads: Answer[] = [];
    for (const rows of open) {
      const next = await rows.next();
      if (!next.done) heads.push({ rows, row: next.value, place: placeOf(next.value) });
    }
    for (let least = leastOf(heads); least !== undefined; least = leastOf(heads)) {
      yield least.row;
      const next = await least.rows.next();
      if (next.done) heads.splice(heads.indexOf(least), 1);
      else Object.assign(least, { row: next.value, place: placeOf(next.value) });
    }
  } finally {
    // Whoever leaves in the middle leaves no answer open.
    for (const rows of open) await rows.return?.();
  }
}

const leastOf = ([first, ...others]: readonly Answer[]): Answer | undefined =>
  others.reduce((a, b) => (a && comparePlaces(a.place, b.place) <= 0 ? a : b), first);

const placeOf = (row: WarehouseRow): EventPlace => ({
  time: timeOf(row),
  identity: textOf(row, 'identity'),
});

export const comparePlaces = (a: EventPlace, b: EventPlace): number =>
  a.time - b.time || (a.identity < b.identity ? -1 : a.identity > b.identity ? 1 : 0);
