import { setImmediate } from 'node:timers/promises';
import type { Instant } from '#domain/instant.ts';
import type { Dimensions } from '#domain/pricing/usage.ts';
import { dimensionsOf } from '#infra/rating/warehouse-event.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import {
  contributedValue,
  countedEvent,
  groupSelector,
  metersToAsk,
  ownedBy,
  prepareMeter,
  saidEvent,
  subjectNames,
  type CountedEvent,
  type PreparedMeter,
} from './counted-event.ts';
import type { LineQuestion } from './line-question.ts';
import { meteredRows, type EventPlace } from './metered-rows.ts';

/** An event behind a line. */
export interface LineEvent extends EventPlace {
  readonly digest: string;
  readonly source: string;
  readonly id: string;
  readonly subject: string;
  readonly time: Instant;
  /** What it contributes, as canonical decimal text; 1 to a count and to distinct values. */
  readonly value: string;
  /** All that its meter has. */
  readonly dimensions?: Dimensions;
}

export interface ReadLineEvents {
  readonly namespace: string;
  readonly line: LineQuestion;
  /** The place of the last event that was given already. */
  readonly after?: EventPlace | undefined;
  /** So many will be taken; all of them where nothing is said. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Rows that are asked for at once: a question costs about as much for few of them as for many. */
const ROWS_PER_PAGE = 50_000;
const ROWS_PER_PAGE_MIN = 1_000;
/** Then others of the process get their turn. */
const ROWS_PER_TURN = 200;

/**
 * Exactly the events behind a line, in the order of (time, identity), read as they are taken. What was committed or voided after the line was
 * measured is not seen. Throws what the warehouse throws.
 */
export async function* lineEvents(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, line, after, limit = ROWS_PER_PAGE, signal }: ReadLineEvents,
): AsyncGenerator<LineEvent, void> {
  const { period, at, dimensions } = line;
  const meter = prepareMeter(namespace, line.meter);
  const [owns, isOfGroup] = [ownedBy(line.subjects), groupSelector(meter, dimensions)];
  const question = {
    namespace,
    period,
    at,
    subjects: subjectNames(line.subjects),
    meters: metersToAsk([meter]),
  };
  const pageRows = Math.min(Math.max(limit, ROWS_PER_PAGE_MIN), ROWS_PER_PAGE);
  for (let last = after; ;) {
    let rows = 0;
    for await (const row of meteredRows(warehouse, { ...question, after: last, limit: pageRows })) {
      if (++rows % ROWS_PER_TURN === 0) await setImmediate();
      signal?.throwIfAborted();
      const said = saidEvent(row);
      last = said;
      const isCounted = meter.isInCells(row) && owns(said.subject, said.time);
      const event = isCounted ? countedEvent(meter, said) : undefined;
      if (event !== undefined && isOfGroup(event)) yield lineEvent(meter, event);
      // Of several answers only so many rows are known to be the next ones.
      if (rows === pageRows) break;
    }
    if (rows < pageRows) return;
  }
}

function lineEvent(meter: PreparedMeter, event: CountedEvent): LineEvent {
  const { said, effect } = event;
  const { identity, digest, source, id, subject, time } = said;
  const dimensions =
    meter.dimensions.length === 0 ? {} : { dimensions: dimensionsOf(meter.dimensions, effect.group) };
  return {
    identity,
    digest,
    source,
    id,
    subject,
    time,
    value: contributedValue(meter, event),
    ...dimensions,
  };
}
