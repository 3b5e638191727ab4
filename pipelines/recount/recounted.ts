import type { DayIndex } from '#domain/instant.ts';
import type { CountedAs } from '#domain/metering/counted-as.ts';
import type { PackedHourCell } from '#domain/metering/hour-cell.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { MeteredEvent } from '#infra/warehouse/metered-event.ts';
import type { ControlTotal } from './control-total.ts';

/*
 * What goes from step to step. Plain data, since it may go from worker to worker: quantities are decimal text, cells are packed.
 */

/** Whose cells an event is in. */
export type CountedBy = Exclude<CountedAs, 'nobody'>;

/** A subject whose day has to be looked at whether or not it has events. */
export interface Asked {
  readonly kind: 'subject';
  readonly day: DayIndex;
  readonly subject: string;
  /** What is stored of its day, where that is read with the events: see `packStored`. */
  readonly stored?: Uint8Array;
  /** What was read of its day, or a piece of it. */
  readonly control?: ControlTotal;
}

/** Some events of the exact view, or a subject. */
export type RecountInput = { readonly kind: 'events'; readonly events: readonly MeteredEvent[] } | Asked;

/** An event that passes the meter's filter and whose value is missing or no number. */
export interface Unmeasured {
  readonly kind: 'unmeasured';
  readonly subject: string;
  readonly time: number;
}

/** An hour cell as the events make it, or a piece of one: as what some of them make. */
export interface RecountedHour {
  readonly kind: 'hour';
  readonly by: CountedBy;
  readonly subject: string;
  readonly view: number;
  readonly hour: number;
  readonly group: string;
  readonly cell: PackedHourCell;
}

/** A distinct value as the events make it, or a piece of one. */
export interface RecountedValue {
  readonly kind: 'value';
  readonly by: CountedBy;
  readonly subject: string;
  readonly day: DayIndex;
  readonly group: string;
  readonly valueHash: Hash128;
  readonly minutes: Uint8Array;
}

export type Recounted = RecountedHour | RecountedValue | Unmeasured | Asked;

/** All that a subject has on a day that is recounted. */
export interface SubjectRecount {
  readonly day: DayIndex;
  readonly subject: string;
  readonly hours: readonly RecountedHour[];
  readonly values: readonly RecountedValue[];
  readonly unmeasured: number;
  /** As it was asked with. */
  readonly stored?: Uint8Array;
  /** All pieces of it that have arrived. */
  readonly control?: ControlTotal;
}
