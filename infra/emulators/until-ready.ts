import { systemScheduler } from '#infra/scheduler.ts';
import { EmulatorUnavailable } from './emulator.ts';
import type { GuardedProcess } from './guarded-process.ts';

const POLL_MS = 25;
/** A loaded machine takes its time to start a Java program. */
const READY_MS_MAX = 60_000;
const SHOWN_OUTPUT = 600;

/**
 * Resolves with what the process is ready with. It is stopped, and `EmulatorUnavailable` tells the end of what it said, when it ends before
 * or is not ready within a minute.
 */
export async function untilReady<Ready>(
  process: GuardedProcess,
  ready: () => Promise<Ready | undefined>,
): Promise<Ready> {
  for (let waitedMs = 0; waitedMs < READY_MS_MAX; waitedMs += POLL_MS) {
    if (process.hasExited()) break;
    const answer = await ready();
    // A port that answers may be a stranger's who took it before: then ours has ended for want of it.
    if (answer !== undefined && !process.hasExited()) return answer;
    await systemScheduler.sleep(POLL_MS);
  }
  const ended = process.hasExited();
  const said = process.output().trim().slice(-SHOWN_OUTPUT);
  await process.stop();
  throw new EmulatorUnavailable(
    `${ended ? 'it ended' : `it did not answer within ${READY_MS_MAX / 1_000} s`}: ${said || 'without a word'}`,
  );
}
