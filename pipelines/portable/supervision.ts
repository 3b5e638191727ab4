import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { FINAL_STATES, type JobState } from '#pipelines/beam/job-service.ts';

/** When a supervisor acts. All times in milliseconds. */
export interface SupervisionPolicy {
  /** The first pause before a job is submitted again; each further failure in a row doubles it. */
  readonly pauseFirstMs: number;
  readonly pauseLongestMs: number;
  /** From so many failures in a row on, each is an alarm. */
  readonly alarmFailures: number;
  /** After so many failures in a row it gives up. */
  readonly failuresMax: number;
  /** A job that has run for so long and has committed is healthy: what failed before is forgotten. */
  readonly healthyMs: number;
  /** How long a job may take until its first worker lives. */
  readonly startMs: number;
  /** How long no worker may live after that: some runners start another, and some never notice. */
  readonly workerlessMs: number;
  /** Messages wait and nothing is committed for so long: an alarm. It must be more than the watermark may stand after a death. */
  readonly stalledMs: number;
  /** No worker reports on a feed for so long: an alarm. */
  readonly silentMs: number;
  /** After so many times `stalledMs` or `silentMs` the job is submitted again. */
  readonly stalledTimes: number;
  /** A running job is replaced after so long; for engines whose state grows with every round. */
  readonly plannedRestartMs?: number;
}

/** What is seen of the pipeline at one moment. */
export interface Observation {
  readonly at: Instant;
  /** Why the engine has ended; absent while it runs. */
  readonly engineEnd?: string;
  /** Undefined when the runner does not answer just now. */
  readonly state: JobState | 'LOST' | undefined;
  /** The runner's own words for a final state. */
  readonly reason?: string;
  /** Worker processes that live; undefined where they cannot be seen. */
  readonly workers: number | undefined;
  /** Of the feed that is furthest behind; undefined when no feed has reported, or the database does not answer. */
  readonly watermark: { readonly committedThrough: Instant; readonly heartbeatAt: Instant } | undefined;
}

/** What a supervisor remembers. */
export interface Supervision {
  /** In a row. */
  readonly failures: number;
  readonly submittedAt: Instant;
  readonly hasHadWorkers: boolean;
  /** Since when no worker has been seen. */
  readonly workerlessSince: Instant | undefined;
  readonly committedThrough: Instant | undefined;
  /** When the watermark was last seen to advance since the job was submitted, or when that was. */
  readonly committedAt: Instant;
}

/** What to do after a failure. */
export type FailurePlan =
  | {
      readonly kind: 'resubmit';
      readonly reason: string;
      readonly pauseMs: number;
      /** Failures repeat: somebody has to look. */
      readonly isAlarm: boolean;
    }
  | { readonly kind: 'give up'; readonly reason: string };

export type Plan =
  | { readonly kind: 'nothing' }
  /** Somebody has to look, and the job is left as it is. */
  | { readonly kind: 'alarm'; readonly reason: string }
  | FailurePlan;

/** Below it, what waits is only on its way. */
const WAITING_MS = 2_000;

export const DEFAULT_POLICY: SupervisionPolicy = {
  pauseFirstMs: 1_000,
  pauseLongestMs: 60_000,
  alarmFailures: 3,
  failuresMax: 10,
  healthyMs: 60_000,
  startMs: 90_000,
  workerlessMs: 10_000,
  stalledMs: 90_000,
  silentMs: 90_000,
  stalledTimes: 3,
};

/** What stands beside a feed that moves on by itself: the rounds of the reader, the delay of a group, and its commit. */
const STALL_MARGIN_MS = 30_000;
/** Prism starts no worker again, and may not notice that it has none. */
const PRISM_WORKERLESS_MS = 2_000;

/**
 * The policy for a runner, and for stores whose watermark may stand for so long after a process has died, though messages are committed; or of which
 * nobody reports for so long.
 */
export const policyFor = (runner: string, stillMs: number, reportsMs = 0): SupervisionPolicy => ({
  ...DEFAULT_POLICY,
  stalledMs: Math.max(DEFAULT_POLICY.stalledMs, Math.max(stillMs, reportsMs) + STALL_MARGIN_MS),
  silentMs: Math.max(DEFAULT_POLICY.silentMs, reportsMs + STALL_MARGIN_MS),
  ...(runner === 'prism' && { workerlessMs: PRISM_WORKERLESS_MS }),
});

/** What is remembered when a job was submitted; of the one before it only its failures. */
export const submitted = (at: Instant, { failures }: Pick<Supervision, 'failures'>): Supervision => ({
  failures,
  submittedAt: at,
  hasHadWorkers: false,
  workerlessSince: undefined,
  committedThrough: undefined,
  committedAt: at,
});

/** What to remember and to do after an observation. Decides by nothing else, so that it can be shown to be right. */
export function decide(
  before: Supervision,
  seen: Observation,
  policy: SupervisionPolicy,
): { readonly after: Supervision; readonly plan: Plan } {
  const noted = note(before, seen, policy);
  const fault = faultOf(noted, seen, policy);
  if (fault !== undefined) return failed(noted, fault, policy);
  const plan = plannedRestart(noted, seen, policy) ?? alarmOf(noted, seen, policy) ?? { kind: 'nothing' };
  return { after: noted, plan };
}

/** The same after a failure that was no observation: a job that could not be submitted. */
export function failed(
  before: Supervision,
  reason: string,
  policy: SupervisionPolicy,
): { readonly after: Supervision; readonly plan: FailurePlan } {
  const failures = before.failures + 1;
  const after = { ...before, failures };
  if (failures >= policy.failuresMax)
    return { after, plan: { kind: 'give up', reason: `${failures} failures in a row, the last: ${reason}` } };
  const pauseMs = Math.min(policy.pauseFirstMs * 2 ** (failures - 1), policy.pauseLongestMs);
  const isAlarm = failures >= policy.alarmFailures;
  return { after, plan: { kind: 'resubmit', reason, pauseMs, isAlarm } };
}

function note(before: Supervision, seen: Observation, policy: SupervisionPolicy): Supervision {
  const { at, workers, watermark } = seen;
  const { committedThrough = -Infinity } = before;
  const hasAdvanced = watermark !== undefined && watermark.committedThrough > committedThrough;
  // Where it stands when the job begins is no commit of this job.
  const isFirst = before.committedThrough === undefined;
  const committedAt = hasAdvanced && !isFirst ? at : before.committedAt;
  const hasCommitted = committedAt > before.submittedAt;
  const isHealthy = hasCommitted && msBetween(before.submittedAt, at) >= policy.healthyMs;
  return {
    failures: isHealthy ? 0 : before.failures,
    submittedAt: before.submittedAt,
    hasHadWorkers: before.hasHadWorkers || (workers ?? 0) > 0,
    workerlessSince: workers === 0 ? (before.workerlessSince ?? at) : undefined,
    committedThrough: hasAdvanced ? watermark.committedThrough : before.committedThrough,
    committedAt,
  };
}

/** Why the job has to be submitted again; undefined while there is no reason. */
function faultOf(noted: Supervision, seen: Observation, policy: SupervisionPolicy): string | undefined {
  const { at, engineEnd, state, reason } = seen;
  if (engineEnd !== undefined) return engineEnd;
  if (state === 'LOST' || (state !== undefined && FINAL_STATES.has(state)))
    return `the job is ${state}: ${reason ?? 'the runner gave no reason'}`;
  const workerlessMs = noted.workerlessSince === undefined ? 0 : msBetween(noted.workerlessSince, at);
  if (workerlessMs >= (noted.hasHadWorkers ? policy.workerlessMs : policy.startMs))
    return `no worker has lived for ${seconds(workerlessMs)}`;
  const stall = stallOf(noted, seen, policy);
  if (stall !== undefined && stall.ms >= stall.limitMs * policy.stalledTimes) return stall.reason;
  return undefined;
}

function plannedRestart(
  { submittedAt }: Supervision,
  { at }: Observation,
  { plannedRestartMs }: SupervisionPolicy,
): Plan | undefined {
  if (plannedRestartMs === undefined || msBetween(submittedAt, at) < plannedRestartMs) return undefined;
  return { kind: 'resubmit', reason: 'a restart was planned', pauseMs: 0, isAlarm: false };
}

function alarmOf(noted: Supervision, seen: Observation, policy: SupervisionPolicy): Plan | undefined {
  const stall = stallOf(noted, seen, policy);
  if (stall === undefined || stall.ms < stall.limitMs) return undefined;
  return { kind: 'alarm', reason: stall.reason };
}

/**
 * How long nothing was committed though there was something to commit. A feed that nobody reports on counts as one: its watermark is
 * reported every second as long as any worker of it lives.
 */
function stallOf(
  { committedAt }: Supervision,
  { at, watermark }: Observation,
  { stalledMs, silentMs }: SupervisionPolicy,
): { readonly ms: number; readonly limitMs: number; readonly reason: string } | undefined {
  if (watermark === undefined) return undefined;
  const { committedThrough, heartbeatAt } = watermark;
  const ms = msBetween(committedAt, at);
  if (msBetween(heartbeatAt, at) >= ms)
    return {
      ...{ ms, limitMs: silentMs },
      reason: `nobody has reported on a feed for ${seconds(msBetween(heartbeatAt, at))}`,
    };
  if (msBetween(committedThrough, heartbeatAt) < WAITING_MS) return undefined;
  return { ms, limitMs: stalledMs, reason: `messages wait, and nothing was committed for ${seconds(ms)}` };
}

const msBetween = (from: Instant, to: Instant): number => Math.max(0, to - from) / MICROS_PER_MILLI;
const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
