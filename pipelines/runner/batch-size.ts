/** Messages of one micro-batch: enough to share a commit, few enough to stay fresh. */
export const BATCH_MESSAGES_MIN = 500;
/** Beyond this a larger batch saves nothing more and only holds more memory. */
export const BATCH_MESSAGES_MAX = 8_000;

export interface BatchSize {
  /** How many to pull next. */
  readonly current: number;
  /** Follows the backlog: doubles while pulls come back full, halves when they come back less than half full. */
  pulled(messages: number): void;
}

export function createBatchSize(max = BATCH_MESSAGES_MAX): BatchSize {
  let current = Math.min(BATCH_MESSAGES_MIN, max);
  return {
    get current() {
      return current;
    },
    pulled: (messages) => {
      if (messages >= current) current = Math.min(current * 2, max);
      else if (messages < current / 2)
        current = Math.max(Math.floor(current / 2), Math.min(BATCH_MESSAGES_MIN, max));
    },
  };
}
