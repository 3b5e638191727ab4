import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { FeedWatermark } from '#infra/usage/watermark.ts';
import type { Job, JobEnd } from '#pipelines/beam/job-client.ts';
import type { Log } from '#pipelines/runner/log.ts';
import type { PipelineStatus } from './pipeline-status.ts';
import { decide, failed, submitted } from './supervision.ts';
import type { FailurePlan, Observation, Supervision, SupervisionPolicy } from './supervision.ts';

/** What is supervised, by what can be asked of it and done to it. */
export interface Supervised {
  readonly name: string;
  readonly runner: string;
  /** Submits the job, after opening the engine anew where it has ended. */
  submit(): Promise<Job>;
  /** Ends what still goes on of the job. */
  clear(): Promise<void>;
  /** Why the engine has ended; undefined while it runs. */
  engineEnd(): string | undefined;
  /** Worker processes that live; undefined where they cannot be seen. */
  workers(): Promise<number | undefined>;
  /** How often the engine has started the job again by itself since it was submitted; undefined where it has no figure. */
  engineRestarts(): Promise<number | undefined>;
  readFeeds(): Promise<readonly FeedWatermark[]>;
  /** The address under which the engine shows the job; undefined where there is none, or not yet. */
  page?(): Promise<string | undefined>;
}

export interface SupervisorOptions {
  readonly policy: SupervisionPolicy;
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** Told after every observation. */
  tell(status: PipelineStatus): void;
  /** Told when an alarm begins. */
  alarmed(): void;
}

/** `stopped`: it was told to. `gave up`: failures went on repeating. */
export type SupervisionEnd = 'stopped' | 'gave up';

const OBSERVE_EVERY_MS = 1_000;
/** What does not answer by then is not known this time. */
const ANSWER_MS_MAX = 5_000;

/** A pipeline under supervision: its job, and what is remembered of it. */
interface Watch {
  job: Job;
  /** Absent while the job goes on. */
  end: JobEnd | undefined;
  supervision: Supervision;
  /** Before this submission of it: earlier submissions, and what the engine had started again by itself. */
  restartsBefore: number;
  engineRestarts: number;
  page: string | undefined;
  alarm: string | undefined;
}

/**
 * Submits the job, watches it, and submits it again whenever it has to be, from nothing: everything that was not acknowledged comes again, and what
 * was is committed. Until the signal comes, or failures go on repeating. What the first submission throws is thrown: then nothing was begun.
 * The job itself is left as it is.
 */
export async function supervise(
  pipeline: Supervised,
  options: SupervisorOptions,
  signal: AbortSignal,
): Promise<SupervisionEnd> {
  const { scheduler, policy, log } = options;
  const watch = await begin(pipeline, scheduler.now());
  try {
    while (!signal.aborted) {
      const seen = await observe(pipeline, watch, scheduler);
      const { after, plan } = decide(watch.supervision, seen, policy);
      watch.supervision = after;
      const isFailing = plan.kind === 'resubmit' || plan.kind === 'give up';
      raise(
        watch,
        options,
        alarmOf(plan) ?? (after.failures >= policy.alarmFailures ? watch.alarm : undefined),
      );
      options.tell(statusOf(pipeline, watch, seen));
      if (!isFailing) await scheduler.sleep(OBSERVE_EVERY_MS, signal);
      else if (!(await resubmitUntilRunning(pipeline, watch, { plan, options, signal }))) break;
    }
  } finally {
    watch.job.release();
  }
  if (signal.aborted) return 'stopped';
  log.error({ job: pipeline.name, failures: watch.supervision.failures }, 'the supervisor gives up');
  return 'gave up';
}

async function begin(pipeline: Supervised, at: Instant): Promise<Watch> {
  const watch: Watch = {
    job: await pipeline.submit(),
    end: undefined,
    supervision: submitted(at, { failures: 0 }),
    restartsBefore: 0,
    engineRestarts: 0,
    page: undefined,
    alarm: undefined,
  };
  watchEnd(watch);
  return watch;
}

function watchEnd(watch: Watch): void {
  const { job } = watch;
  watch.end = undefined;
  void job.ended.then((end) => {
    if (watch.job === job) watch.end = end;
  });
}

interface Resubmission {
  readonly plan: FailurePlan;
  readonly options: SupervisorOptions;
  readonly signal: AbortSignal;
}

/** Whether the job was submitted; else failures have gone on for too long, or the signal came. */
async function resubmitUntilRunning(
  pipeline: Supervised,
  watch: Watch,
  { plan: first, options, signal }: Resubmission,
): Promise<boolean> {
  const { scheduler, log, policy } = options;
  for (let plan = first; ;) {
    const { reason } = plan;
    raise(watch, options, alarmOf(plan) ?? watch.alarm);
    if (plan.kind === 'give up') return false;
    const { failures } = watch.supervision;
    log.warn({ job: pipeline.name, reason, failures, pauseMs: plan.pauseMs }, 'the job is submitted again');
    watch.job.release();
    await scheduler.sleep(plan.pauseMs, signal);
    if (signal.aborted) return false;
    try {
      await clearedOrTold(pipeline, log);
      watch.job = await pipeline.submit();
      watchEnd(watch);
      watch.supervision = submitted(scheduler.now(), watch.supervision);
      watch.restartsBefore += 1 + watch.engineRestarts;
      watch.engineRestarts = 0;
      return true;
    } catch (error) {
      log.error({ err: error, job: pipeline.name }, 'the job could not be submitted');
      const failure = failed(watch.supervision, `it could not be submitted: ${messageOf(error)}`, policy);
      watch.supervision = failure.after;
      plan = failure.plan;
    }
  }
}

/** Two jobs on one subscription are exact too, so that a job that cannot be ended is no reason to have none. */
async function clearedOrTold(pipeline: Supervised, log: Log): Promise<void> {
  try {
    await pipeline.clear();
  } catch (error) {
    log.warn(
      { err: error, job: pipeline.name },
      'the job before could not be ended; another is submitted beside it',
    );
  }
}

async function observe(pipeline: Supervised, watch: Watch, scheduler: Scheduler): Promise<Observation> {
  const { job } = watch;
  const within = <T>(asked: Promise<T | undefined>): Promise<T | undefined> => answered(asked, scheduler);
  const engineEnd = pipeline.engineEnd();
  const [state, workers, feeds, engineRestarts, page] = await Promise.all([
    watch.end === undefined && engineEnd === undefined ? within(job.state()) : undefined,
    within(pipeline.workers()),
    within(pipeline.readFeeds()),
    within(pipeline.engineRestarts()),
    within(pipeline.page?.() ?? Promise.resolve(undefined)),
  ]);
  watch.engineRestarts = engineRestarts ?? watch.engineRestarts;
  watch.page = page;
  const furthestBehind = feeds?.toSorted((a, b) => a.committedThrough - b.committedThrough)[0];
  return {
    at: scheduler.now(),
    ...(engineEnd !== undefined && { engineEnd }),
    state: watch.end?.state ?? state,
    ...(watch.end?.reason !== undefined && { reason: watch.end.reason }),
    workers,
    watermark: furthestBehind,
  };
}

/** Undefined when it fails or takes too long: what is not known now may be known the next time. */
async function answered<T>(asked: Promise<T | undefined>, scheduler: Scheduler): Promise<T | undefined> {
  const patience = new AbortController();
  const late = scheduler.sleep(ANSWER_MS_MAX, patience.signal).then(() => undefined);
  return Promise.race([asked.catch(() => undefined), late]).finally(() => patience.abort());
}

function raise(watch: Watch, { log, alarmed }: SupervisorOptions, alarm: string | undefined): void {
  if (alarm !== undefined && watch.alarm === undefined) {
    alarmed();
    log.error({ alarm, job: watch.job.name }, 'the pipeline needs somebody to look');
  }
  if (alarm === undefined && watch.alarm !== undefined)
    log.info({ was: watch.alarm, job: watch.job.name }, 'the pipeline is well again');
  watch.alarm = alarm;
}

function alarmOf(plan: ReturnType<typeof decide>['plan']): string | undefined {
  if (plan.kind === 'alarm' || plan.kind === 'give up') return plan.reason;
  return plan.kind === 'resubmit' && plan.isAlarm ? plan.reason : undefined;
}

const statusOf = (
  { name, runner }: Supervised,
  { supervision, restartsBefore, engineRestarts, page, alarm }: Watch,
  { at, state, workers, watermark }: Observation,
): PipelineStatus => ({
  ...{ at, name, runner, workers, alarm },
  state: state ?? 'unknown',
  lagMs: lagOf(watermark, at),
  commitAgeMs: Math.max(0, at - supervision.committedAt) / MICROS_PER_MILLI,
  restarts: restartsBefore + engineRestarts,
  ...(page !== undefined && { page }),
});

/** Undefined while a feed has been named and nothing of it is known yet. */
const lagOf = (watermark: Observation['watermark'], at: Instant): number | undefined =>
  watermark === undefined || watermark.committedThrough === 0
    ? undefined
    : Math.max(0, at - watermark.committedThrough) / MICROS_PER_MILLI;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
