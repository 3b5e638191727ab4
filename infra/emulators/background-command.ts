import { getPriority, setPriority } from 'node:os';
import { systemScheduler } from '#infra/scheduler.ts';
import { EmulatorUnavailable } from './emulator.ts';
import { startGuarded, type GuardedCommand } from './guarded-process.ts';

/** What is made in the background leaves the processor to what somebody waits for. */
const PRIORITY = 10;
const POLL_MS = 250;
const SHOWN_OUTPUT = 400;

export interface InBackground {
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** For the reason when the time is up. */
  readonly late: string;
  /** For the reason when it fails; what it said last is added. */
  readonly failed: string;
}

/** Runs a program to its end at low priority. Throws `EmulatorUnavailable` when it fails or has not ended in time; then it is ended. */
export async function runInBackground(
  command: GuardedCommand,
  { deadline, late, failed }: InBackground,
): Promise<void> {
  const child = startGuarded(command);
  try {
    lowerPriority(child.pid);
    while (!child.hasExited() && performance.now() < deadline) await systemScheduler.sleep(POLL_MS);
    if (!child.hasExited()) throw new EmulatorUnavailable(late);
    if (child.exitCode() !== 0)
      throw new EmulatorUnavailable(`${failed}: ${child.output().trim().slice(-SHOWN_OUTPUT)}`);
  } finally {
    await child.stop();
  }
}

/** A process may lower its children's priority, but not always raise it. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined && getPriority(pid) < PRIORITY) setPriority(pid, PRIORITY);
  } catch {
    // It has ended already.
  }
}
