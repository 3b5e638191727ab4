import { setImmediate } from 'node:timers/promises';
import { Problem } from '../http/problem.ts';

/** A quota check must not wait longer for a calculation than this. */
const TURN_MS = 2;

/** What ends work that nobody waits for: it is answered to no one, and is no error of ours. */
export const clientGone = (): Problem => new Problem('invalid_request', 'the client waits no longer');

/** Runs small steps to their end, a turn at a time, so that other requests are answered in between. Stops when `signal` is aborted. */
export async function inTurns<Result>(steps: Generator<void, Result>, signal: AbortSignal): Promise<Result> {
  let turnEnd = performance.now() + TURN_MS;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < turnEnd) continue;
    await setImmediate();
    if (signal.aborted) throw clientGone();
    turnEnd = performance.now() + TURN_MS;
  }
}
