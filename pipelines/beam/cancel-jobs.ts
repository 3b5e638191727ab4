import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { FINAL_STATES, openJobService, stateOf, type JobService } from './job-service.ts';

/** How long a runner may take to end a job that it was told to end. */
const CANCEL_MS_MAX = 20_000;
const POLL_MS = 50;

/** A job that its runner was told to end, and that has not ended in time. */
export class JobNotCancelled extends Error {
  constructor(name: string) {
    super(`the job '${name}' was cancelled, and has not ended ${CANCEL_MS_MAX / 1_000} s later`);
    this.name = 'JobNotCancelled';
  }
}

/**
 * Cancels every job of that name that goes on, and resolves when all of them have ended, by what their service says. Throws JobNotCancelled,
 * JobServiceUnavailable and JobRefused.
 */
export async function cancelJobs(
  endpoint: string,
  name: string,
  scheduler: Scheduler = systemScheduler,
): Promise<void> {
  const service = await openJobService(endpoint);
  try {
    for (const id of await goingOn(service, name)) await service.cancel(id);
    for (let waitedMs = 0; (await goingOn(service, name)).length > 0; waitedMs += POLL_MS) {
      if (waitedMs >= CANCEL_MS_MAX) throw new JobNotCancelled(name);
      await scheduler.sleep(POLL_MS);
    }
  } finally {
    service.close();
  }
}

const goingOn = async (service: JobService, name: string): Promise<string[]> =>
  (await service.jobs())
    .filter((job) => job.jobName === name && !FINAL_STATES.has(stateOf(job)))
    .map(({ jobId }) => jobId);
