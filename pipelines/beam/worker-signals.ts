/** Why a worker is to end, other than by the runner's will. */
export type EndReason = 'SIGTERM' | 'SIGINT' | 'its parent has died';

/** How often a worker looks whether the process that started it is still there. */
const PARENT_CHECK_MS = 1_000;

/**
 * Resolves when a signal asks this process to end, or when the process that started it has died: a worker is of no use without its runner, which
 * may have been killed without a word. A second signal ends the process at once, as without this.
 */
export function untilAsked(parentCheckMs = PARENT_CHECK_MS): Promise<EndReason> {
  const { promise, resolve } = Promise.withResolvers<EndReason>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) resolve('its parent has died');
  }, parentCheckMs);
  timer.unref();
  return promise.finally(() => clearInterval(timer));
}
