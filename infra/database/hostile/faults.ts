/** How often what goes wrong; each is a probability per operation. */
export interface Faults {
  /** A run of a transaction is aborted, at a read or at the commit, and run again. */
  readonly abort: number;
  /**
   * The answer of a commit is lost. The seed decides whether the commit had been applied, never is, or is applied only later, while
   * the caller is already busy with the next attempt.
   */
  readonly unknownOutcome: number;
  /** An answer is overtaken by what others do. */
  readonly delay: number;
  /** An operation finds that the store has gone down, and it stays down for a while. */
  readonly outage?: number;
  /** The store refuses to hold this row: the value is at fault, not the store. */
  readonly refuse?: (row: object, table: string) => boolean;
}

export const noFaults: Faults = { abort: 0, unknownOutcome: 0, delay: 0 };

/** Every kind of trouble a store makes by itself, often enough that a short simulation sees several. */
export const commonFaults: Faults = { abort: 0.1, unknownOutcome: 0.1, delay: 0.2 };

/** What has happened, so that a test can show that it met the trouble it is about. */
export interface FaultCounts {
  commits: number;
  /** Runs repeated because a commit of another had changed what they read. */
  conflicts: number;
  /** Runs repeated because the seed said so. */
  aborts: number;
  /** Lost answers by the fate of their commit. */
  lostBefore: number;
  lostAfter: number;
  lostUntilLater: number;
  refusals: number;
  outages: number;
}

export const noCounts = (): FaultCounts => ({
  commits: 0,
  conflicts: 0,
  aborts: 0,
  lostBefore: 0,
  lostAfter: 0,
  lostUntilLater: 0,
  refusals: 0,
  outages: 0,
});
