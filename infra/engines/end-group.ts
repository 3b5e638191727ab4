import { systemScheduler } from '#infra/scheduler.ts';

/** Workers give back what they hold before they end; so long they may take. */
const GRACE_MS = 12_000;
const POLL_MS = 50;

/**
 * Resolves when the whole process group of an engine that has ended is gone: its workers are of that group, and end by themselves when the engine
 * has; those that do not are ended.
 */
export async function endGroup(group: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < GRACE_MS; waitedMs += POLL_MS) {
    if (!signalGroup(group, 0)) return;
    await systemScheduler.sleep(POLL_MS);
  }
  signalGroup(group, 'SIGKILL');
}

/** Whether there was a process to send it to. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
