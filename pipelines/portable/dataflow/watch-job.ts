import { hasEnded } from '#infra/engines/dataflow/job.ts';
import type { JobMessage, JobsApi } from '#infra/engines/dataflow/jobs-api.ts';
import type { Scheduler } from '#infra/scheduler.ts';

/** How often Dataflow is asked. States of jobs change within minutes. */
const ASK_EVERY_MS = 10_000;
/** Messages of one moment come with both questions before and after it: how many are remembered, so that none is told twice. */
const TOLD_MAX = 1_000;

export interface JobWatch {
  readonly jobs: JobsApi;
  readonly scheduler: Scheduler;
  /** Watching ends, and the job goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Only what is said from then on (RFC 3339); all of it unless it is given. */
  readonly since?: string | undefined;
  changed(state: string): void;
  said(message: JobMessage): void;
}

/** What was said of a job already. */
interface Told {
  readonly ids: Set<string>;
  /** The time of the newest message (RFC 3339), from which on the next ones are asked for. */
  since: string | undefined;
}

/**
 * Tells every change of the job's state, and warnings and errors as they come, until it has ended or nobody wants to know any more; resolves
 * with the state that was seen last. When Dataflow does not answer for long the watching ends, never the job: throws GoogleApiError.
 */
export async function watchJob(id: string, watch: JobWatch): Promise<string> {
  const { jobs, scheduler, signal } = watch;
  const told: Told = { ids: new Set(), since: watch.since };
  let state = '';
  try {
    while (!signal?.aborted && !hasEnded(state)) {
      if (state !== '') await scheduler.sleep(ASK_EVERY_MS, signal);
      const { currentState } = await jobs.get(id, signal);
      if (currentState !== state) watch.changed((state = currentState));
      // After the state, so that a job which failed has told why.
      for (const message of await jobs.messages(id, told.since, signal)) tellOnce(told, message, watch);
    }
  } catch (error) {
    // A question that nobody wants answered any more was broken off.
    if (!signal?.aborted) throw error;
  }
  return state;
}

function tellOnce(told: Told, message: JobMessage, { said }: JobWatch): void {
  if (told.ids.has(message.id)) return;
  told.ids.add(message.id);
  const [oldest] = told.ids;
  if (told.ids.size > TOLD_MAX && oldest !== undefined) told.ids.delete(oldest);
  if (told.since === undefined || message.time > told.since) told.since = message.time;
  said(message);
}
