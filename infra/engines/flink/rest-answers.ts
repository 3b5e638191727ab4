import { z } from 'zod';

/** What Flink 1.15 answers, as far as we use it. Fields that are new in a later release pass unseen. */

export const JOB_STATES = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'FAILING',
  'FAILED',
  'CANCELLING',
  'CANCELED',
  'FINISHED',
  'RESTARTING',
  'SUSPENDED',
  'RECONCILING',
] as const;
const jobState = z.enum(JOB_STATES);
export type FlinkJobState = z.infer<typeof jobState>;

/** From none of these it comes back by itself. */
const ENDED: ReadonlySet<FlinkJobState> = new Set(['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED']);
export const hasEnded = (state: FlinkJobState): boolean => ENDED.has(state);

const jobOverview = z
  .object({ jid: z.string(), name: z.string(), state: jobState, 'start-time': z.number() })
  .transform(({ jid, name, state, 'start-time': startedAtMs }) => ({ id: jid, name, state, startedAtMs }));
export type FlinkJob = z.infer<typeof jobOverview>;
export const jobsAnswer = z.object({ jobs: z.array(jobOverview) }).transform(({ jobs }) => jobs);

export const jobAnswer = z
  .object({
    jid: z.string(),
    name: z.string(),
    state: jobState,
    vertices: z.array(
      z.object({ id: z.string(), name: z.string(), parallelism: z.number(), status: z.string() }),
    ),
  })
  .transform(({ jid, ...job }) => ({ id: jid, ...job }));
export type FlinkJobDetails = z.infer<typeof jobAnswer>;

/** A metric that is not known yet is not in the answer. */
export const metricsAnswer = z.array(z.object({ id: z.string(), value: z.string().optional() }));

export const exceptionsAnswer = z
  .object({
    exceptionHistory: z.object({
      entries: z.array(
        z
          .object({
            exceptionName: z.string(),
            stacktrace: z.string(),
            timestamp: z.number(),
            taskName: z.string().nullish(),
          })
          .transform(({ exceptionName, timestamp, ...entry }) => ({
            name: exceptionName,
            stack: entry.stacktrace,
            atMs: timestamp,
            task: entry.taskName ?? undefined,
          })),
      ),
    }),
  })
  .transform(({ exceptionHistory }) => exceptionHistory.entries);
export type FlinkException = z.infer<typeof exceptionsAnswer>[number];

const checkpoint = z
  .object({
    id: z.number(),
    state_size: z.number(),
    end_to_end_duration: z.number(),
    external_path: z.string().optional(),
  })
  .transform(({ id, state_size, end_to_end_duration, external_path }) => ({
    id,
    stateBytes: state_size,
    tookMs: end_to_end_duration,
    path: external_path,
  }));
export const checkpointsAnswer = z
  .object({
    counts: z.object({
      completed: z.number(),
      failed: z.number(),
      in_progress: z.number(),
      restored: z.number(),
    }),
    latest: z.object({
      completed: checkpoint.nullish(),
      restored: z.object({ id: z.number() }).nullish(),
    }),
  })
  .transform(({ counts, latest }) => ({
    completed: counts.completed,
    failed: counts.failed,
    inProgress: counts.in_progress,
    restored: counts.restored,
    latest: latest.completed ?? undefined,
    restoredFrom: latest.restored?.id,
  }));
export type FlinkCheckpoints = z.infer<typeof checkpointsAnswer>;

/** A share of the time; what Flink has not measured yet is NaN, as a text. */
const share = z.union([z.number(), z.literal('NaN')]).transform((value) => (value === 'NaN' ? 0 : value));
export const backPressureAnswer = z
  .object({
    'backpressure-level': z.enum(['ok', 'low', 'high']).optional(),
    subtasks: z.array(z.object({ ratio: share, busyRatio: share })).optional(),
  })
  .transform(({ 'backpressure-level': level, subtasks = [] }) => ({
    /** Undefined at the first question, when nothing has been measured. */
    level,
    /** Of the subtask that waits most for those behind it, from 0 to 1. */
    waits: Math.max(0, ...subtasks.map(({ ratio }) => ratio)),
    /** Of the subtask that works most. */
    works: Math.max(0, ...subtasks.map(({ busyRatio }) => busyRatio)),
  }));
export type FlinkBackPressure = z.infer<typeof backPressureAnswer>;

export const taskManagersAnswer = z
  .object({
    taskmanagers: z.array(z.object({ id: z.string(), slotsNumber: z.number(), freeSlots: z.number() })),
  })
  .transform(({ taskmanagers }) =>
    taskmanagers.map(({ id, slotsNumber, freeSlots }) => ({ id, slots: slotsNumber, freeSlots })),
  );
export type FlinkTaskManager = z.infer<typeof taskManagersAnswer>[number];

export const triggerAnswer = z
  .object({ 'request-id': z.string() })
  .transform((answer) => answer['request-id']);
/** Undefined while it is in progress. */
export const savepointAnswer = z
  .object({
    status: z.object({ id: z.enum(['IN_PROGRESS', 'COMPLETED']) }),
    operation: z
      .object({
        location: z.string().nullish(),
        'failure-cause': z.object({ class: z.string(), 'stack-trace': z.string() }).nullish(),
      })
      .nullish(),
  })
  .transform(({ status, operation }) =>
    status.id === 'IN_PROGRESS'
      ? undefined
      : {
          path: operation?.location ?? undefined,
          failure: operation?.['failure-cause']?.['stack-trace'],
        },
  );
/** An answer of which only that it came is used. */
export const anyAnswer = z.unknown();
