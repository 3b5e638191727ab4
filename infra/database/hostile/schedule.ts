import type { Instant } from '#domain/instant.ts';

/** What decides the order, the chances and the time of a simulated run. The hostile drivers have no other source of any of them. */
export interface Schedule {
  /** Resolves when it is this operation's turn; others may go first, and far. */
  readonly point: (label: string) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly now: () => Instant;
}

/** An answer that is late lets others have at most this many turns more. */
const EXTRA_POINTS_MAX = 4;

export const chance = (schedule: Schedule, probability: number): boolean =>
  probability > 0 && schedule.random() < probability;

/** A whole number in [0, limit). */
export const below = (schedule: Schedule, limit: number): number => Math.floor(schedule.random() * limit);

/** With this probability, an answer on its way is overtaken by others. */
export async function delay(schedule: Schedule, probability: number, label: string): Promise<void> {
  if (!chance(schedule, probability)) return;
  for (let extra = 1 + below(schedule, EXTRA_POINTS_MAX); extra > 0; extra--) await schedule.point(label);
}
