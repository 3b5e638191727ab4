import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { hasEnded, type FlinkJob } from './rest-answers.ts';
import { FlinkUnreachable } from './rest-call.ts';
import type { FlinkRest } from './rest.ts';

/** A job that has not ended, and where to ask about it. */
export interface RunningFlinkJob extends FlinkJob {
  readonly rest: FlinkRest;
}

/** A job that did not end though it was told to. */
export class FlinkJobGoesOn extends Error {
  override readonly name = 'FlinkJobGoesOn';
}

const POLL_MS = 100;
const END_MS_MAX = 60_000;

/** The jobs of that name, or of any, that have not ended. A mini cluster that has gone took its job with it. */
export async function jobsOn(
  rests: readonly FlinkRest[],
  name?: string,
): Promise<readonly RunningFlinkJob[]> {
  const jobs = await Promise.all(
    rests.map(async (rest) => (await jobsOf(rest)).map((job) => ({ ...job, rest }))),
  );
  return jobs.flat().filter((job) => !hasEnded(job.state) && (name === undefined || job.name === name));
}

/**
 * Cancels them at Flink itself, since Beam's job service forgets a job that goes on, and resolves when Flink says that they have ended. Throws
 * `FlinkJobGoesOn` when one has not within a minute.
 */
export async function stopJobsOn(
  rests: readonly FlinkRest[],
  name: string,
  scheduler: Scheduler = systemScheduler,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < END_MS_MAX; waitedMs += POLL_MS) {
    const jobs = await jobsOn(rests, name);
    if (jobs.length === 0) return;
    const toCancel = jobs.filter(({ state }) => state !== 'CANCELLING');
    await Promise.all(toCancel.map(({ rest, id }) => unlessGone(rest.cancel(id), undefined)));
    await scheduler.sleep(POLL_MS);
  }
  throw new FlinkJobGoesOn(`the job '${name}' has not ended ${END_MS_MAX / 1_000} s after it was cancelled`);
}

const jobsOf = (rest: FlinkRest): Promise<readonly FlinkJob[]> => unlessGone(rest.jobs(), []);

async function unlessGone<Answer>(answer: Promise<Answer>, otherwise: Answer): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof FlinkUnreachable && error.hasGone) return otherwise;
    throw error;
  }
}
