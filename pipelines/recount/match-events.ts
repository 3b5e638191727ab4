import { compileCatalogue, type Catalogue } from '#domain/metering/catalogue.ts';
import { countedAs, type BackfilledDays } from '#domain/metering/counted-as.ts';
import { matchEvent } from '#domain/metering/effects.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import { GROUP_VIEW, TOTAL_VIEW } from '#domain/metering/batch.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type { CountedBy, Matched, RecountInput } from './recounted.ts';

/** What is recounted: one version of a meter. */
export interface RecountedMeter {
  readonly namespace: string;
  readonly meter: MeterVersion;
  readonly backfilled: BackfilledDays | null;
  /** Only the events that the backfill counts; those of the stream, too, where the whole is looked at. */
  readonly only: 'backfill' | 'all';
}

const matchers = new WeakMap<MatchEvents, MatchEvent>();

/** Says of each event what it adds to the meter, by the same matching as the commit's. */
export class MatchEvents implements SyncDoFn<RecountInput, Matched> {
  readonly of: RecountedMeter;

  constructor(of: RecountedMeter) {
    this.of = of;
  }

  setup(): void {
    matchers.set(this, createMatcher(this.of));
  }

  process(input: RecountInput, emit: Emit<Matched>): void {
    if (input.kind === 'subject') return emit(input);
    matcherOf(this)(input, emit);
  }
}

type EventInput = Extract<RecountInput, { kind: 'event' }>;
export type MatchEvent = (event: EventInput, emit: Emit<Matched>) => void;

/** What of an event counts for the meter, by the same matching as the commit's. */
export function createMatcher({ namespace, meter, backfilled, only }: RecountedMeter): MatchEvent {
  // In force at its own beginning, whether or not it has ended since.
  const catalogue = compileCatalogue(namespace, meter.since, [{ ...meter, until: null }]);
  return (event, emit) => {
    const by = countedAs(meter, backfilled ?? undefined, event);
    if (by !== 'nobody' && (only === 'all' || by === only)) emitEffects(catalogue, event, by, emit);
  };
}

function matcherOf(doFn: MatchEvents): MatchEvent {
  const matcher = matchers.get(doFn);
  if (matcher === undefined) throw new Error('MatchEvents was not set up');
  return matcher;
}

function emitEffects(catalogue: Catalogue, event: EventInput, by: CountedBy, emit: Emit<Matched>): void {
  const { subject, time, identity, digest } = event;
  const matched = matchEvent(catalogue, event);
  if (matched.refusal) {
    // The stream would have refused it whole; it is counted elsewhere already, so here it is only told.
    emit({ kind: 'unmeasured', subject, time });
    return;
  }
  for (const { value, group, distinct } of matched.effects) {
    const counted = {
      kind: 'hour',
      by,
      subject,
      identity,
      digest,
      time,
      value: toDecimalString(value),
    } as const;
    emit({ ...counted, view: TOTAL_VIEW, group: '' });
    if (group !== '') emit({ ...counted, view: GROUP_VIEW, group });
    if (distinct !== '') emit({ kind: 'value', by, subject, group, valueHash: distinct, time });
  }
}
