import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { callRest, FlinkRefused, type RestRequest } from './rest-call.ts';
import {
  anyAnswer,
  backPressureAnswer,
  checkpointsAnswer,
  exceptionsAnswer,
  jobAnswer,
  jobsAnswer,
  metricsAnswer,
  savepointAnswer,
  taskManagersAnswer,
  triggerAnswer,
  type FlinkBackPressure,
  type FlinkCheckpoints,
  type FlinkException,
  type FlinkJob,
  type FlinkJobDetails,
  type FlinkTaskManager,
} from './rest-answers.ts';

/** A Flink cluster, as its REST interface shows it: some seconds late, but for the list of jobs. Every call throws `FlinkRefused` and `FlinkUnreachable`. */
export interface FlinkRest {
  /** A URL without a slash at its end. */
  readonly address: string;
  /** All that the cluster remembers, those that have ended too. */
  jobs(): Promise<readonly FlinkJob[]>;
  /** Undefined for one that the cluster does not know. */
  job(id: string): Promise<FlinkJobDetails | undefined>;
  /** How often it was started again since it was submitted; undefined while the cluster has no figure. */
  restarts(id: string): Promise<number | undefined>;
  /** Why it was started again, the last first, at most EXCEPTIONS_MAX. */
  exceptions(id: string): Promise<readonly FlinkException[]>;
  checkpoints(id: string): Promise<FlinkCheckpoints>;
  /** Of one vertex of `job`. Flink measures when it is asked and answers with the figures of the last time. */
  backPressure(id: string, vertexId: string): Promise<FlinkBackPressure>;
  taskManagers(): Promise<readonly FlinkTaskManager[]>;
  /** Asks for its end, now: what is in flight is dropped, and delivered again. Harmless when it has ended. */
  cancel(id: string): Promise<void>;
  /** Writes a savepoint below the folder, which the cluster must be able to write, and resolves with its path. The job goes on. */
  savepoint(id: string, folder: string): Promise<string>;
  /** The same, and ends the job. With `drain` its sources are ended first, so that nothing can go on from that savepoint. */
  stop(id: string, options: { readonly folder: string; readonly drain?: boolean }): Promise<string>;
}

/** A savepoint that Flink could not write. */
export class SavepointFailed extends Error {
  override readonly name = 'SavepointFailed';
}

const EXCEPTIONS_MAX = 20;
/** The one of newer schedulers, and the one of older ones. */
const RESTART_METRICS = ['numRestarts', 'fullRestarts'];
const HTTP_NOT_FOUND = 404;
const HTTP_CONFLICT = 409;
const SAVEPOINT_POLL_MS = 200;
const SAVEPOINT_MS_MAX = 120_000;

/** The interface at `address`, a URL such as `http://127.0.0.1:8081`. Nothing is asked before it is needed. */
export function flinkRest(address: string, scheduler: Scheduler = systemScheduler): FlinkRest {
  const base = address.replace(/\/+$/, '');
  const call = <Answer>(request: RestRequest<Answer>): Promise<Answer> => callRest(base, request);
  const jobPath = (id: string): string => `/jobs/${encodeURIComponent(id)}`;
  const savepoint = savepointsOf(call, jobPath, scheduler);
  return {
    address: base,
    jobs: () => call({ path: '/jobs/overview', answer: jobsAnswer }),
    job: (id) => unlessGone(call({ path: jobPath(id), answer: jobAnswer })),
    restarts: async (id) => {
      const get = RESTART_METRICS.join(',');
      const metrics = await call({ path: `${jobPath(id)}/metrics?get=${get}`, answer: metricsAnswer });
      const values = metrics.flatMap(({ value }) => (value === undefined ? [] : [Number(value)]));
      return values.length === 0 ? undefined : Math.max(...values);
    },
    exceptions: (id) =>
      call({ path: `${jobPath(id)}/exceptions?maxExceptions=${EXCEPTIONS_MAX}`, answer: exceptionsAnswer }),
    checkpoints: (id) => call({ path: `${jobPath(id)}/checkpoints`, answer: checkpointsAnswer }),
    backPressure: (id, vertexId) =>
      call({
        path: `${jobPath(id)}/vertices/${encodeURIComponent(vertexId)}/backpressure`,
        answer: backPressureAnswer,
      }),
    taskManagers: () => call({ path: '/taskmanagers', answer: taskManagersAnswer }),
    cancel: async (id) => {
      await unlessGone(
        call({ method: 'PATCH', path: `${jobPath(id)}?mode=cancel`, answer: anyAnswer }),
        HTTP_CONFLICT,
      );
    },
    savepoint: (id, folder) =>
      savepoint(id, 'savepoints', { 'target-directory': folder, 'cancel-job': false }),
    stop: (id, { folder, drain = false }) => savepoint(id, 'stop', { targetDirectory: folder, drain }),
  };
}

type Call = <Answer>(request: RestRequest<Answer>) => Promise<Answer>;

/** Flink begins a savepoint and is asked until it is written. */
const savepointsOf =
  (call: Call, jobPath: (id: string) => string, scheduler: Scheduler) =>
  async (id: string, verb: 'savepoints' | 'stop', body: unknown): Promise<string> => {
    const trigger = await call({
      method: 'POST',
      path: `${jobPath(id)}/${verb}`,
      body,
      answer: triggerAnswer,
    });
    for (let waitedMs = 0; waitedMs < SAVEPOINT_MS_MAX; waitedMs += SAVEPOINT_POLL_MS) {
      const done = await call({ path: `${jobPath(id)}/savepoints/${trigger}`, answer: savepointAnswer });
      if (done?.path !== undefined) return done.path;
      if (done !== undefined) throw new SavepointFailed(done.failure ?? 'Flink gives no reason');
      await scheduler.sleep(SAVEPOINT_POLL_MS);
    }
    throw new SavepointFailed(`it was not written within ${SAVEPOINT_MS_MAX / 1_000} s`);
  };

/** Undefined when Flink does not know the job, or says by `alsoStatus` that it has ended. */
async function unlessGone<Answer>(
  answer: Promise<Answer>,
  alsoStatus = HTTP_NOT_FOUND,
): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof FlinkRefused && (error.status === HTTP_NOT_FOUND || error.status === alsoStatus))
      return undefined;
    throw error;
  }
}
