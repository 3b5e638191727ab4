/** Waits between tries of a store that fails: doubling from 100 ms to 5 s. Without jitter, since one machine has one writer. */
export const BACKOFF_FIRST_MS = 100;
export const BACKOFF_LONGEST_MS = 5_000;

export const backoffMs = (failures: number): number =>
  Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 20), BACKOFF_LONGEST_MS);
