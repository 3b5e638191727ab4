import type { CorrectionAction, CorrectionChange, CorrectionFilter } from '#domain/corrections/correction.ts';
import type { Instant } from '#domain/instant.ts';
import {
  column,
  commitTime,
  defineTable,
  jsonColumn,
  nullable,
  nullableJson,
  type Table,
} from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

/**
 * What a correction is at. `counting` looks how many events are meant and changes nothing; one that means too many is `refused`. Each of the
 * others ends where its name says, but for `applied` and `canceled`, which may be undone.
 */
export const CORRECTION_STATES = [
  'counting',
  'applying',
  'applied',
  'canceling',
  'canceled',
  'refused',
  'undoing',
  'undone',
] as const;
export type CorrectionState = (typeof CORRECTION_STATES)[number];

/** What became of the events that were looked at so far. */
export interface CorrectionCounts {
  readonly changed: number;
  /** Were so before, by somebody else's doing. */
  readonly already: number;
  /** Amendments that would say what the event says. */
  readonly unchanged: number;
  /** Cannot be amended so: they stay as they are. */
  readonly refused: number;
  readonly undone: number;
  /** Were corrected by somebody else since: undoing leaves them alone. */
  readonly superseded: number;
}

export const NOTHING_CORRECTED: CorrectionCounts = {
  changed: 0,
  already: 0,
  unchanged: 0,
  refused: 0,
  undone: 0,
  superseded: 0,
};

/** An event that cannot be amended, and why. */
export interface RefusedEvent {
  readonly source: string;
  readonly id: string;
  readonly code: string;
  readonly detail: string;
}
/** So many of them are named. */
export const REFUSED_NAMED_MAX = 100;

/** After which event, in the order of (time, identity in hex). */
export interface EventPosition {
  readonly time: Instant;
  readonly identity: string;
}

/** An event by which its rows are found. */
export interface EventPlace extends EventPosition {
  readonly subject: string;
}

/** A correction of all events that a filter means: asked for once, and done by whoever works on it, batch by batch. */
export const correction = defineTable('correction', {
  columns: {
    namespace: column('string'),
    id: column('string'),
    action: jsonColumn<CorrectionAction>(),
    filter: jsonColumn<CorrectionFilter>(),
    change: nullableJson<CorrectionChange>(),
    /** Of the customer that the filter names, all it ever had when the correction was asked for; else null. */
    subjects: nullableJson<readonly string[]>(),
    /** Only events that were committed by then are meant: all of them were in the warehouse when the correction was asked for. */
    asOf: column('timestamp'),
    reason: column('string'),
    principal: column('string'),
    state: jsonColumn<CorrectionState>(),
    /** How many events are meant; null until they are counted. */
    matched: nullable('int64'),
    counts: jsonColumn<CorrectionCounts>(),
    /** The first of those that were refused. */
    refused: jsonColumn<readonly RefusedEvent[]>(),
    /** All up to this event are corrected; null before the first. */
    position: nullableJson<EventPosition>(),
    /** The events of the last transaction, as long as it is not known that the warehouse has been told of them. */
    untold: jsonColumn<readonly EventPlace[]>(),
    /** What stopped it last, as long as it has not gone on; null when nothing did. */
    fault: nullable('string'),
    worker: nullable('string'),
    leaseUntil: nullable('timestamp'),
    createdAt: commitTime(),
    finishedAt: nullable('timestamp'),
  },
  key: ['namespace', 'id'],
});

/** The corrections that somebody has to work on: there are few, and whoever starts looks for them. */
export const openCorrection = defineTable('correction_open', {
  columns: { namespace: column('string'), correction: column('string') },
  key: ['namespace', 'correction'],
});

export type CorrectionRow = Row<typeof correction>;

export const CORRECTION_TABLES: readonly Table<object>[] = [correction, openCorrection];
