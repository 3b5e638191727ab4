import type { JobMessage as JobMessageProto, JobMessagesResponse } from 'apache-beam/proto/beam_job_api';
import type { Pipeline as PipelineProto } from 'apache-beam/proto/beam_runner_api';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { pinEnvironment, type WorkerEnvironment } from './environments.ts';
import { FINAL_STATES, JobServiceUnavailable, openJobService, stateOf } from './job-service.ts';
import type { JobService, JobState } from './job-service.ts';
import { assertPortable } from './portability.ts';
import { jobApi } from './sdk.ts';
import { asStruct, submittedOptions, type SubmittedOptions } from './submitted-options.ts';

export { JobRefused, JobServiceUnavailable } from './job-service.ts';
export type { JobState } from './job-service.ts';

export interface JobSubmission {
  /** `host:port` of the job service. */
  readonly endpoint: string;
  readonly name: string;
  readonly proto: PipelineProto;
  readonly environment: WorkerEnvironment;
  readonly options?: SubmittedOptions;
  readonly scheduler?: Scheduler;
}

/** What a runner says of a job, in the order in which it came. */
export interface JobMessage {
  readonly isError: boolean;
  /** Cut at MESSAGE_CHARACTERS_MAX. */
  readonly text: string;
}

export interface JobEnd {
  /** LOST: its service has not answered for LOST_AFTER_MS, so that nobody can tell. */
  readonly state: JobState | 'LOST';
  /** The runner's own words, where it gave any; for a job that was lost, why. */
  readonly reason?: string;
}

/** A job that was submitted. */
export interface Job {
  readonly id: string;
  readonly name: string;
  /** Asks the runner. Throws JobServiceUnavailable when it does not answer. */
  state(): Promise<JobState>;
  /** Asks the runner to end it at once; `ended` tells when it has. */
  cancel(): Promise<void>;
  /** The last MESSAGES_MAX of them. */
  messages(): readonly JobMessage[];
  /** Resolves once with how it ended; never rejects. Pending after `release`, unless it ended before. */
  readonly ended: Promise<JobEnd>;
  /** Watches it no longer and closes the connection; the job goes on. */
  release(): void;
}

/** A job that did not end as a job that has done its work does. */
export class JobFailed extends Error {
  constructor(name: string, { state, reason }: JobEnd) {
    super(`the job '${name}' ended as ${state}: ${reason ?? 'the runner gave no reason'}`);
    this.name = 'JobFailed';
  }
}

/** How many messages of a job are kept. */
const MESSAGES_MAX = 100;
const MESSAGE_CHARACTERS_MAX = 4_000;
/** How often the runner is asked, beside the stream in which it tells by itself: a stream may break unnoticed. */
const ASK_EVERY_MS = 1_000;
/** A service that is silent for longer has lost its jobs, or we have lost it. */
const LOST_AFTER_MS = 30_000;
/** The reason for a failure may come after the state: so long it is waited for. */
const LAST_WORDS_MS = 2_000;

/**
 * Submits a pipeline to a runner over Beam's job service, and watches it. Nothing is staged: the workers of the environment have what the
 * pipeline names. Throws NotPortable, JobServiceUnavailable, and JobRefused with the runner's words.
 */
export async function submitJob(submission: JobSubmission): Promise<Job> {
  const { endpoint, name, environment, options = {}, scheduler = systemScheduler } = submission;
  assertPortable(submission.proto);
  const proto = pinEnvironment(submission.proto, environment);
  const service = await openJobService(endpoint);
  try {
    const preparation = await service.prepare(name, proto, asStruct(submittedOptions(name, proto, options)));
    return watchedJob(service, { id: await service.run(preparation), name }, scheduler);
  } catch (error) {
    service.close();
    throw error;
  }
}

/** Resolves when the job is DONE. Throws JobFailed when it ends otherwise. */
export async function untilDone(job: Pick<Job, 'ended' | 'name'>): Promise<void> {
  const end = await job.ended;
  if (end.state !== 'DONE') throw new JobFailed(job.name, end);
}

function watchedJob(
  service: JobService,
  { id, name }: { readonly id: string; readonly name: string },
  scheduler: Scheduler,
): Job {
  const released = new AbortController();
  const told = listen(service, id);
  let end: JobEnd | undefined;
  const close = (): void => {
    released.abort();
    told.stop();
    service.close();
  };
  const watching = watch(service, id, { told, scheduler, signal: released.signal });
  const ended = watching.then((found) => {
    if (found === undefined) return new Promise<never>(() => undefined);
    end = found;
    close();
    return found;
  });
  return {
    id,
    name,
    state: async () => (end === undefined || end.state === 'LOST' ? service.state(id) : end.state),
    cancel: async () => {
      if (end === undefined) await service.cancel(id);
    },
    messages: () => told.messages,
    ended,
    release: close,
  };
}

/** What a runner tells by itself. */
interface Told {
  readonly messages: readonly JobMessage[];
  /** Resolves with the first final state. */
  readonly final: Promise<JobState>;
  /** Resolves when the runner has said all, or the stream broke. */
  readonly silent: Promise<void>;
  stop(): void;
}

function listen(service: JobService, id: string): Told {
  const messages: JobMessage[] = [];
  const final = Promise.withResolvers<JobState>();
  const silent = Promise.withResolvers<undefined>();
  const stream = service.messages(id);
  stream.on('data', ({ response }: JobMessagesResponse) => {
    if (response.oneofKind === 'messageResponse') {
      messages.push(messageOf(response.messageResponse));
      if (messages.length > MESSAGES_MAX) messages.shift();
    } else if (response.oneofKind === 'stateResponse') {
      const state = stateOf(response.stateResponse);
      if (FINAL_STATES.has(state)) final.resolve(state);
    }
  });
  // A stream that breaks ends nothing: the runner is asked as well.
  stream.on('error', () => silent.resolve(undefined)).on('end', () => silent.resolve(undefined));
  return { messages, final: final.promise, silent: silent.promise, stop: () => stream.cancel() };
}

const messageOf = ({ importance, messageText }: JobMessageProto): JobMessage => ({
  isError: importance === jobApi.JobMessage_MessageImportance.JOB_MESSAGE_ERROR,
  text: messageText.slice(0, MESSAGE_CHARACTERS_MAX),
});

interface Watching {
  readonly told: Told;
  readonly scheduler: Scheduler;
  readonly signal: AbortSignal;
}

/** Undefined when it was released before the job has ended. */
async function watch(
  service: JobService,
  id: string,
  { told, scheduler, signal }: Watching,
): Promise<JobEnd | undefined> {
  const state = await Promise.race([told.final, askUntilFinal(service, id, { scheduler, signal })]);
  if (state === undefined) return undefined;
  if (typeof state === 'object') return state;
  const patience = new AbortController();
  await Promise.race([told.silent, scheduler.sleep(LAST_WORDS_MS, patience.signal)]);
  patience.abort();
  const reason = told.messages.findLast(({ isError }) => isError)?.text;
  return { state, ...(reason !== undefined && { reason }) };
}

async function askUntilFinal(
  service: JobService,
  id: string,
  { scheduler, signal }: Pick<Watching, 'scheduler' | 'signal'>,
): Promise<JobState | JobEnd | undefined> {
  let answeredAt = scheduler.now();
  while (!signal.aborted) {
    try {
      const state = await service.state(id);
      answeredAt = scheduler.now();
      if (FINAL_STATES.has(state)) return state;
    } catch (error) {
      if (signal.aborted) return undefined;
      const silentMs = (scheduler.now() - answeredAt) / MICROS_PER_MILLI;
      // A service that was started anew answers, and knows nothing of the job.
      if (!(error instanceof JobServiceUnavailable) || silentMs >= LOST_AFTER_MS)
        return { state: 'LOST', reason: error instanceof Error ? error.message : String(error) };
    }
    await scheduler.sleep(ASK_EVERY_MS, signal);
  }
  return undefined;
}
