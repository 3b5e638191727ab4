import type { Instant } from '../instant.ts';
import type { WindowUnit } from '../calendar/window.ts';
import type { Refusal } from '../metering/dead-letter.ts';
import type { MeterDefinition } from '../metering/meter.ts';
import type { UsageRow } from '../usage/usage-rows.ts';
import type { Violation } from '../violation.ts';

/** A meter to be tried out. It needs no name, and without an event type it is of every event. */
export interface EvaluatedMeter extends Omit<MeterDefinition, 'name' | 'eventType'> {
  readonly eventType?: string | undefined;
}

/** An event as it would be published. What is left out is filled in; without an `id` it is no copy of any other event. */
export interface EvaluatedEvent {
  readonly id?: string | undefined;
  readonly source?: string | undefined;
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  /** RFC 3339; absent: the time it was stored, as an event without time takes its publish time. */
  readonly time?: string | undefined;
  /** Absent: the time it happened. */
  readonly storedAt?: Instant | undefined;
  /** JSON text, so that no digit is lost. */
  readonly data: string;
}

export const ALIGNMENTS = ['clip', 'widen'] as const;
/** Whether the first and the last window are cut to the range or the range is widened to whole windows. */
export type Alignment = (typeof ALIGNMENTS)[number];

export const ROUNDING_FUNCTIONS = ['round', 'ceil', 'floor'] as const;

/** How values are rounded: to the nearest (a half away from zero), up, or down. */
export interface Rounding {
  readonly function: (typeof ROUNDING_FUNCTIONS)[number];
  /** Decimals that are kept; below zero tens, hundreds and so on. */
  readonly scale: number;
}

export interface EvaluationQuery {
  readonly from: Instant;
  readonly to: Instant;
  readonly window: WindowUnit;
  readonly timezone: string;
  /** Dimensions of the meter, and `subject`. */
  readonly groupBy?: readonly string[] | undefined;
  /** Dimension -> the values that count. */
  readonly filter?: Readonly<Record<string, readonly string[]>> | undefined;
  /** timeWeightedSum: the level when the range begins; what earlier events say of it does not count then. A decimal. */
  readonly initialLevel?: string | undefined;
  readonly emptyIsZero?: boolean | undefined;
  readonly floorAtZero?: boolean | undefined;
  readonly omitEmpty?: boolean | undefined;
  readonly align?: Alignment | undefined;
  readonly rounding?: Rounding | undefined;
  /** Only events stored in [storedFrom, storedBefore) count. */
  readonly storedFrom?: Instant | undefined;
  readonly storedBefore?: Instant | undefined;
}

export interface Evaluation {
  /** Whose events they would be: it is in an event's identity, which decides between two of one instant. */
  readonly namespace: string;
  readonly meter: EvaluatedMeter;
  readonly events: readonly EvaluatedEvent[];
  readonly query: EvaluationQuery;
}

/** An event that the product would dead-letter, by its place in the list. */
export interface RefusedEvent extends Refusal {
  readonly index: number;
}

/** Where every event went. */
export interface EventTally {
  readonly counted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly unmatched: number;
  /** Left out by `storedFrom` and `storedBefore`. */
  readonly notStored: number;
  readonly refused: readonly RefusedEvent[];
}

export interface EvaluationAnswer {
  /** The range that was answered: whole minutes, widened where that was asked. */
  readonly from: Instant;
  readonly to: Instant;
  /** As the zone data spells it. */
  readonly timezone: string;
  readonly rows: readonly UsageRow[];
  readonly events: EventTally;
}

/** Everything that keeps a question from being evaluated, at once. Pointers are into `{meter, events, query}`. */
export class EvaluationError extends Error {
  readonly code = 'invalid_query';
  override readonly name = 'EvaluationError';
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(
      `the evaluation is not valid: ${violations.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}`,
    );
    this.violations = violations;
  }
}
