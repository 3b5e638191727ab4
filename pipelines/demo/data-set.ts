import type { MeterDefinition } from '#domain/metering/meter.ts';
import type { DeadLetterReason } from '#domain/metering/dead-letter.ts';

/** What one event says, as the demo itself knows it: the ground of its independent count. */
export interface Fact {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, string | number>>;
}

/** A message to publish: an event, or something that must end as a dead letter. */
export type Planned =
  | { readonly fact: Fact; readonly text: string }
  | { readonly fact?: never; readonly text: string; readonly reason: DeadLetterReason };

/** What a run of the demo publishes. */
export interface DataSet {
  readonly title: string;
  readonly meters: ReadonlyMap<string, MeterDefinition>;
  readonly planned: readonly Planned[];
  /** The range of event times, [from, to), for questions about all of it. */
  readonly from: string;
  readonly to: string;
}

export const textOf = ({ id, source, type, subject, time, data }: Fact): string =>
  JSON.stringify({ specversion: '1.0', id, source, type, subject, time, data });

export const plannedEvent = (fact: Fact): Planned => ({ fact, text: textOf(fact) });
