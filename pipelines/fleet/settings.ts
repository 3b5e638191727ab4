import { z } from 'zod';
import { HORIZON_MICROS } from '#domain/limits.ts';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { DEFAULT_SCALING, type ScalingBounds } from '#infra/fleet/scaling.ts';
import { DEFAULT_LATENESS_MICROS } from '#infra/usage/watermark.ts';
import { readVariables, wholeNumberText } from '#infra/variables.ts';

const PORT_MAX = 65_535;
/** More than a worker may have in hand makes no larger batch. */
const BATCH_MESSAGES_MAX = 5_000;

/** The variables of a worker, beside those of the stores. */
export const workerVariables = z.object({
  MILLRACE_LOG_LEVEL: z
    .enum(['silent', 'error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('What is logged, on standard error'),
  MILLRACE_RELEASE: z.string().max(128).default('unnamed').describe('The release that runs, for people'),
  MILLRACE_LATENESS_SECONDS: wholeNumberText(0, HORIZON_MICROS / MICROS_PER_SECOND)
    .default(DEFAULT_LATENESS_MICROS / MICROS_PER_SECOND)
    .describe('How long after it happened an event is published at the latest'),
  MILLRACE_DRAIN_SECONDS: wholeNumberText(1, 600)
    .default(7)
    .describe(
      'How long the bundle in hand may take after SIGTERM; leave three seconds of the window for giving back the rest',
    ),
  MILLRACE_BATCH_MESSAGES: wholeNumberText(1, BATCH_MESSAGES_MAX)
    .default(1_000)
    .describe('The most messages that are committed together'),
  MILLRACE_HEALTH_HOST: z.string().default('0.0.0.0').describe('Where the health port listens'),
  MILLRACE_HEALTH_PORT: wholeNumberText(0, PORT_MAX)
    .default(8_081)
    .describe('The port of /healthz, /readyz and /metrics; 0 takes a free one'),
  MILLRACE_WORKERS_MIN: wholeNumberText(0, 10_000)
    .default(DEFAULT_SCALING.workersMin)
    .describe('The fewest workers that the scaler signal asks for'),
  MILLRACE_WORKERS_MAX: wholeNumberText(1, 10_000)
    .default(DEFAULT_SCALING.workersMax)
    .describe('The most workers that the scaler signal asks for'),
  MILLRACE_WORKER_MESSAGES_PER_SECOND: wholeNumberText(1, 1_000_000)
    .default(DEFAULT_SCALING.messagesPerWorkerSecond)
    .describe('What a worker works off in a second, for the scaler signal'),
});

export interface WorkerSettings {
  readonly logLevel: string;
  readonly release: string;
  readonly latenessMicros: number;
  readonly drainMs: number;
  readonly batchMessagesMax: number;
  readonly health: { readonly host: string; readonly port: number };
  readonly scaling: ScalingBounds;
}

/** Throws an error that names every variable that is wrong. One that is empty counts as not set. */
export function readWorkerSettings(environment: NodeJS.ProcessEnv): WorkerSettings {
  const data = readVariables(
    workerVariables.refine(
      ({ MILLRACE_WORKERS_MIN: min, MILLRACE_WORKERS_MAX: max }) => min <= max,
      'MILLRACE_WORKERS_MIN is above MILLRACE_WORKERS_MAX',
    ),
    environment,
  );
  return {
    logLevel: data.MILLRACE_LOG_LEVEL,
    release: data.MILLRACE_RELEASE,
    latenessMicros: data.MILLRACE_LATENESS_SECONDS * MICROS_PER_SECOND,
    drainMs: data.MILLRACE_DRAIN_SECONDS * 1_000,
    batchMessagesMax: data.MILLRACE_BATCH_MESSAGES,
    health: { host: data.MILLRACE_HEALTH_HOST, port: data.MILLRACE_HEALTH_PORT },
    scaling: {
      ...DEFAULT_SCALING,
      workersMin: data.MILLRACE_WORKERS_MIN,
      workersMax: data.MILLRACE_WORKERS_MAX,
      messagesPerWorkerSecond: data.MILLRACE_WORKER_MESSAGES_PER_SECOND,
    },
  };
}
