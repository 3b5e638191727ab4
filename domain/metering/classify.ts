import type { Instant } from '../instant.ts';
import type { Batch, Copy } from './batch.ts';
import type { Hash128 } from './hash128.ts';

/** What the store knows of an identity. */
export interface StoredEvent {
  /** Null only in a void that came before its event. */
  readonly digest: Hash128 | null;
  readonly state: EventState;
  readonly time: Instant;
  readonly catalogueVersion: number;
  readonly committedAt: Instant;
}
export type EventState = 'live' | 'void';

/** What becomes of one delivered copy. */
export type Outcome = 'accepted' | 'duplicate' | 'conflict' | 'void';

export interface Classified {
  readonly copy: Copy;
  readonly outcome: Outcome;
  /** The row that was there before this batch; absent for what this batch stores. */
  readonly stored?: StoredEvent;
}

/**
 * Says of every copy what it is, given the rows that were there (by candidate). Same identity and digest is a duplicate; same identity
 * with another digest a conflict; a void without a digest takes the first copy's and gives it no effect.
 */
export function classify(batch: Batch, stored: readonly (StoredEvent | undefined)[]): Classified[] {
  const classified: Classified[] = [];
  batch.candidates.forEach(({ first, others }, index) => {
    const row = stored[index];
    const digest = row?.digest ?? first.event.digest;
    classified.push(row === undefined ? { copy: first, outcome: 'accepted' } : classifyStored(first, row));
    for (const copy of others) {
      const outcome = copy.event.digest === digest ? 'duplicate' : 'conflict';
      classified.push(row ? { copy, outcome, stored: row } : { copy, outcome });
    }
  });
  return classified;
}

/** What a copy of an event that is stored already is. */
export function classifyStored(copy: Copy, stored: StoredEvent): Classified {
  if (stored.digest === null) return { copy, outcome: 'void', stored };
  return { copy, outcome: stored.digest === copy.event.digest ? 'duplicate' : 'conflict', stored };
}
