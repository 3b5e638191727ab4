/** How Flink runs a job. What each does, and when to change it, is in docs/guides/flink.md. */
export interface FlinkJobSettings {
  /** A URL that the whole cluster can write: checkpoints, for as long as the job runs. */
  readonly checkpointUrl: string;
  /** Into how many parts each step is split; as many slots are taken: 1. */
  readonly parallelism?: number;
  /** What the parallelism of a job that goes on from a savepoint of this one may be at most: 128. */
  readonly maxParallelism?: number;
  /** Worker processes of each TaskManager; its slots share them: 1. */
  readonly workersPerTaskManager?: number;
  /** 5,000. */
  readonly checkpointIntervalMs?: number;
  /** Checkpoints that stay when the job is cancelled, until somebody removes them: false. */
  readonly keepCheckpoints?: boolean;
  /** Elements after which a bundle ends: 1,000. */
  readonly bundleElementsMax?: number;
  /** After this time it ends as well: 20. */
  readonly bundleMsMax?: number;
  /** How often watermarks are passed on: 200. */
  readonly watermarkIntervalMs?: number;
}

const DEFAULTS = {
  parallelism: 1,
  maxParallelism: 128,
  workersPerTaskManager: 1,
  checkpointIntervalMs: 5_000,
  keepCheckpoints: false,
  bundleElementsMax: 1_000,
  bundleMsMax: 20,
  watermarkIntervalMs: 200,
} as const;

/** Flink's own upper bound. */
const MAX_PARALLELISM_MAX = 32_768;
/** After one that took longer than the interval, events come first for a while. */
const PAUSE_BETWEEN_CHECKPOINTS_MS = 500;
/** One that has not ended by then is given up, and the next is tried. */
const CHECKPOINT_MS_MAX = 60_000;

/**
 * The settings as options of a pipeline, in the names of Beam's Flink runner; it takes numbers as texts only. Throws `RangeError` for a number that makes
 * no sense.
 */
export function flinkOptions(settings: FlinkJobSettings): Readonly<Record<string, string>> {
  const chosen = { ...DEFAULTS, ...settings };
  const whole = (name: keyof typeof DEFAULTS, max = Number.MAX_SAFE_INTEGER): string =>
    wholeNumber(name, chosen[name], max);
  return {
    parallelism: whole('parallelism', chosen.maxParallelism),
    maxParallelism: whole('maxParallelism', MAX_PARALLELISM_MAX),
    sdkWorkerParallelism: whole('workersPerTaskManager'),
    checkpointingInterval: whole('checkpointIntervalMs'),
    minPauseBetweenCheckpoints: String(PAUSE_BETWEEN_CHECKPOINTS_MS),
    checkpointTimeoutMillis: String(CHECKPOINT_MS_MAX),
    // What is exact is so by acknowledging after the commit: a disk that is slow is no reason to start again.
    failOnCheckpointingErrors: 'false',
    externalizedCheckpointsEnabled: 'true',
    retainExternalizedCheckpointsOnCancellation: String(chosen.keepCheckpoints),
    stateBackend: 'filesystem',
    stateBackendStoragePath: chosen.checkpointUrl,
    maxBundleSize: whole('bundleElementsMax'),
    maxBundleTimeMills: whole('bundleMsMax'),
    autoWatermarkInterval: whole('watermarkIntervalMs'),
    // The runner does not change elements on the way, so that it need not copy them.
    fasterCopy: 'true',
  };
}

function wholeNumber(name: string, value: unknown, max: number): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= max)
    return String(value);
  throw new RangeError(`${name} is a whole number from 1 to ${max}, not ${String(value)}`);
}
