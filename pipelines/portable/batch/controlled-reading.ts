import type { DayIndex } from '#domain/instant.ts';
import {
  addMatched,
  bothTold,
  nothingControlled,
  toldOf,
  type Controlled,
  type ControlTotal,
} from '#pipelines/recount/control-total.ts';
import { createMatcher, type RecountedMeter } from '#pipelines/recount/match-events.ts';
import type { Matched, RecountInput } from '#pipelines/recount/recounted.ts';
import { controlOfRead, NO_CONTROL, type ControlTally } from './control-tally.ts';

/** Subjects of which a reader holds the control totals; above that they are told in pieces. */
const SUBJECTS_HELD_MAX = 50_000;
/** What is handed on at once: an asynchronous step for each would cost more than what is done with it. */
const MATCHED_PER_BATCH = 512;

/** What a reader makes of the events of one shard of a day. */
export interface ControlledReading {
  /** A subject that is looked at whether or not it has events, and what is stored of its day. */
  ask(subject: string, stored?: Uint8Array): void;
  add(event: Extract<RecountInput, { kind: 'event' }>): void;
  /** Whether enough waits to be handed on. */
  readonly isFull: boolean;
  /** What waits, and lets go of it. */
  take(): Matched[];
  /** At the end: what is left, with the control totals, and what was read in all. */
  end(shards: number): { readonly matched: Matched[]; readonly control: ControlTally };
}

interface Told {
  readonly control: Controlled;
  stored?: Uint8Array | undefined;
}

/**
 * Matches what is read, and keeps by subject what it comes to. The totals go the way of the subjects' cells, and their own sum the way of the parts: so an
 * engine that loses anything, be it a whole subject, shows where the results are written.
 */
export function createControlledReading(of: RecountedMeter, day: DayIndex): ControlledReading {
  const matcher = createMatcher(of);
  const told = new Map<string, Told>();
  let batch: Matched[] = [];
  let all: ControlTotal | undefined;
  const toldBy = (subject: string): Told => {
    let known = told.get(subject);
    if (known === undefined) told.set(subject, (known = { control: nothingControlled() }));
    return known;
  };
  const emit = (matched: Matched): void => {
    addMatched(toldBy(matched.subject).control, matched);
    batch.push(matched);
  };
  const tell = (): void => {
    for (const [subject, { control: sums, stored }] of told) {
      const control = toldOf(subject, sums);
      all = bothTold(all, control);
      batch.push({ kind: 'subject', day, subject, control, ...(stored && { stored }) });
    }
    told.clear();
  };
  const take = (): Matched[] => {
    const taken = batch;
    batch = [];
    return taken;
  };
  return {
    ask: (subject, stored) => void (toldBy(subject).stored = stored),
    add: (event) => {
      matcher(event, emit);
      if (told.size > SUBJECTS_HELD_MAX) tell();
    },
    get isFull() {
      return batch.length >= MATCHED_PER_BATCH;
    },
    take,
    end: (shards) => {
      tell();
      return { matched: take(), control: controlOfRead(shards, all ?? NO_CONTROL.read) };
    },
  };
}
