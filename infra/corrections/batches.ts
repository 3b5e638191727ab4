import { dayOf, type DayIndex } from '#domain/instant.ts';
import type { LoadedEvent } from '#infra/usage/stored-event.ts';

/** What one transaction corrects, at most: it stays short beside the stream, and within the mutations of a commit. */
export const BATCH_EVENTS = 250;
export const BATCH_ROWS = 1_500;
/** The event, its last correction with two entries of an index, and the event that takes its place. */
const ROWS_PER_EVENT = 5;

/**
 * Events in batches that each stay within the bound, whatever they do; one that exceeds it alone stands alone. What changes a level in a day
 * that is rolled also changes the level at the start of every later one, once for each series.
 */
export function* batchesOf<Event extends Pick<LoadedEvent, 'event' | 'effects'>>(
  events: readonly Event[],
  rolledThrough: DayIndex,
  bound: { readonly events: number; readonly rows: number } = { events: BATCH_EVENTS, rows: BATCH_ROWS },
): Generator<readonly Event[], void, undefined> {
  let batch: Event[] = [];
  let levels = new Set<string>();
  let rows = 0;
  for (const event of events) {
    const more = rowsOf(event, rolledThrough, levels);
    if (batch.length > 0 && (batch.length === bound.events || rows + more > bound.rows)) {
      yield batch;
      [batch, levels, rows] = [[], new Set(), 0];
    }
    batch.push(event);
    rows += more;
  }
  if (batch.length > 0) yield batch;
}

function rowsOf(
  { event, effects }: Pick<LoadedEvent, 'event' | 'effects'>,
  rolledThrough: DayIndex,
  levels: Set<string>,
): number {
  const laterDays = Math.max(rolledThrough - dayOf(event.time), 0);
  let rows = ROWS_PER_EVENT;
  for (const { meter, group, distinct } of effects) {
    const views = group === '' ? 1 : 2;
    // An hour and, where that is closed, its day.
    rows += 2 * views + (distinct === '' ? 0 : 1);
    const series = JSON.stringify([event.subject, meter.label, group]);
    if (meter.aggregation !== 'timeWeightedSum' || levels.has(series)) continue;
    levels.add(series);
    rows += views * laterDays;
  }
  return rows;
}
