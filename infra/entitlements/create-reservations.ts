import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { StoreError } from '#infra/database/errors.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { EntitlementError } from './errors.ts';
import { grantReservations, type ReservationOutcome } from './grant-reservations.ts';
import { checkReservation, type CheckedReservation, type ReservationRequest } from './reservation.ts';

/** Requests of one transaction: enough that all who wait share it, few enough that it is over soon. */
export const RESERVATIONS_PER_COMMIT_MAX = 256;
/** Beyond so many, callers hear that they come too fast instead of waiting ever longer. */
export const RESERVATIONS_WAITING_MAX = 10_000;
/** A commit whose answer was lost is run again so often: it then finds its own holds. */
const COMMIT_TRIES_MAX = 5;

export interface Reservations {
  /**
   * Resolves once the hold is durable, or with why there is none. Throws `EntitlementError` for a request that is malformed
   * (`invalid_reservation`) or comes when too many wait (`too_many_waiting`), and what the database throws.
   */
  reserve(request: ReservationRequest): Promise<ReservationOutcome>;
}

export interface ReservationsOptions {
  readonly database: Database;
  readonly clock: () => Instant;
  /** Awaited before each transaction, in which all go together who ask meanwhile. Never rejects; a turn of promises unless given. */
  readonly pause?: () => Promise<void>;
}

interface Waiting {
  readonly request: CheckedReservation;
  readonly resolve: (outcome: ReservationOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes reservations that share commits: whoever asks while a transaction is on its way waits for the next one, and all who wait go in it
 * together. One a process; any number of processes may have one.
 */
export function createReservations({
  database,
  clock,
  pause = () => Promise.resolve(),
}: ReservationsOptions): Reservations {
  let waiting: Waiting[] = [];
  let committing = false;

  const commitAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      await pause();
      const batch = waiting.slice(0, RESERVATIONS_PER_COMMIT_MAX);
      waiting = waiting.slice(batch.length);
      await commitBatch({ database, clock }, batch);
    }
    committing = false;
  };

  return {
    reserve: async (request) => {
      const checked = checkReservation(request);
      if (waiting.length >= RESERVATIONS_WAITING_MAX)
        throw new EntitlementError('too_many_waiting', `${waiting.length} reservations are waiting already`);
      return new Promise((resolve, reject) => {
        waiting.push({ request: checked, resolve, reject });
        if (committing) return;
        committing = true;
        void commitAll();
      });
    },
  };
}

interface Committing {
  readonly database: Database;
  readonly clock: () => Instant;
}

/** Never throws: an error goes to those it is about. */
async function commitBatch(committing: Committing, batch: readonly Waiting[]): Promise<void> {
  try {
    const outcomes = await commit(
      committing,
      batch.map(({ request }) => request),
    );
    batch.forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index];
      if (outcome) resolve(outcome);
      else reject(new Error('a reservation was given no outcome'));
    });
  } catch (error) {
    // What one value is to blame for must not be the others' trouble; a store that fails fails for all.
    if (batch.length === 1 || (error instanceof StoreError && error.kind !== 'RefusedValue')) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const each of batch) await commitBatch(committing, [each]);
  }
}

async function commit(
  { database, clock }: Committing,
  requests: readonly CheckedReservation[],
): Promise<ReservationOutcome[]> {
  for (let tries = 1; ; tries++) {
    const now = clock();
    try {
      const { result, committedAt } = await database.transact((tx) => grantReservations(tx, requests, now));
      return result.map((outcome) => granted(outcome, committedAt));
    } catch (error) {
      const unknown = error instanceof StoreError && error.kind === 'UnknownOutcome';
      if (!unknown || tries >= COMMIT_TRIES_MAX) throw error;
    }
  }
}

/** A new hold bears the time of its commit, also where it was asked for twice in one transaction. */
const granted = (outcome: ReservationOutcome, committedAt: Instant): ReservationOutcome =>
  outcome.outcome === 'granted' && outcome.reservation.grantedAt === commitTimestamp
    ? { ...outcome, reservation: { ...outcome.reservation, grantedAt: committedAt } }
    : outcome;
