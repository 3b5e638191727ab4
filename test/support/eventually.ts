import { setTimeout } from 'node:timers/promises';

const POLL_MS = 20;
/** Far beyond what a loaded machine needs: it only keeps a test that will never succeed from waiting for ever. */
export const PATIENCE_MS = 120_000;

export interface Patience {
  readonly patienceMs?: number;
  /** Added to the message when patience runs out. */
  readonly explain?: () => string;
}

/** Polls until the condition holds. The order of things is only ever decided by conditions, never by the time that passes. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { patienceMs = PATIENCE_MS, explain }: Patience = {},
): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) {
      throw new Error(`gave up waiting until ${what}${explain === undefined ? '' : `\n${explain()}`}`);
    }
    await setTimeout(POLL_MS);
  }
}
