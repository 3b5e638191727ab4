import type { DayIndex } from '#domain/instant.ts';
import type { MeteredEvent } from '#infra/warehouse/metered-event.ts';
import {
  addRecounted,
  bothTold,
  nothingControlled,
  toldOf,
  type Controlled,
  type ControlTotal,
} from '#pipelines/recount/control-total.ts';
import { createEventFold } from '#pipelines/recount/event-fold.ts';
import type { RecountedMeter } from '#pipelines/recount/match-events.ts';
import type { Recounted } from '#pipelines/recount/recounted.ts';
import { controlOfRead, NO_CONTROL, type ControlTally } from './control-tally.ts';

/** Subjects of which a reader holds the control totals; above that they are told in pieces. */
const SUBJECTS_HELD_MAX = 50_000;
/** What is handed on at once: an asynchronous step for each would cost more than what is done with it. */
const FOLDED_PER_BATCH = 512;

/** What a reader makes of the events of one shard of a day. */
export interface ControlledReading {
  /** A subject that is looked at whether or not it has events, and what is stored of its day. */
  ask(subject: string, stored?: Uint8Array): void;
  add(events: readonly MeteredEvent[]): void;
  /** Whether enough waits to be handed on. */
  readonly isFull: boolean;
  /** What waits, and lets go of it. */
  take(): Recounted[];
  /** At the end: what is left, with the control totals, and what was read in all. */
  end(shards: number): { readonly folded: Recounted[]; readonly control: ControlTally };
}

interface Told {
  readonly control: Controlled;
  stored?: Uint8Array | undefined;
}

/**
 * Folds what is read, and keeps by subject what it comes to. The totals go the way of the subjects' cells, and their own sum the way of the parts: so an
 * engine that loses anything, be it a whole subject, shows where the results are written.
 */
export function createControlledReading(of: RecountedMeter, day: DayIndex): ControlledReading {
  const fold = createEventFold(of);
  const told = new Map<string, Told>();
  let batch: Recounted[] = [];
  let all: ControlTotal | undefined;
  const toldBy = (subject: string): Told => {
    let known = told.get(subject);
    if (known === undefined) told.set(subject, (known = { control: nothingControlled() }));
    return known;
  };
  const emit = (folded: readonly Recounted[]): void => {
    for (const each of folded) {
      addRecounted(toldBy(each.subject).control, each);
      batch.push(each);
    }
  };
  const tell = (): void => {
    for (const [subject, { control: sums, stored }] of told) {
      const control = toldOf(subject, sums);
      all = bothTold(all, control);
      batch.push({ kind: 'subject', day, subject, control, ...(stored && { stored }) });
    }
    told.clear();
  };
  const take = (): Recounted[] => {
    const taken = batch;
    batch = [];
    return taken;
  };
  return {
    ask: (subject, stored) => void (toldBy(subject).stored = stored),
    add: (events) => {
      fold.add(events);
      emit(fold.take());
      if (told.size > SUBJECTS_HELD_MAX) tell();
    },
    get isFull() {
      return batch.length >= FOLDED_PER_BATCH;
    },
    take,
    end: (shards) => {
      emit(fold.end());
      tell();
      return { folded: take(), control: controlOfRead(shards, all ?? NO_CONTROL.read) };
    },
  };
}
