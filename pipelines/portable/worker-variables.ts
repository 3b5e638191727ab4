import { resolve } from 'node:path';
import { z } from 'zod';
import { cloudVariables } from '#infra/cloud/settings.ts';
import { DEFAULT_HELD_BOUNDS, type HeldBounds } from '#infra/fleet/holder.ts';
import { startVariables } from '#infra/local/start/settings.ts';
import { COMMIT_PATIENCE_SECONDS } from './portable-worker.ts';
import { readVariables, wholeNumberText } from '#infra/variables.ts';

const COMMIT_PATIENCE_SECONDS_MAX = 600;
/** As every runner takes it: Dataflow's rule is the strictest. */
export const JOB_NAME = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** The variables of a worker of a distributed runner, beside those of its stores and of every worker. */
export const portableVariables = z.object({
  MILLRACE_HELD_MESSAGES: wholeNumberText(1, 1_000_000)
    .default(DEFAULT_HELD_BOUNDS.messagesMax)
    .describe(
      'The most messages of a feed that a worker process has given to the runner and not yet seen acknowledged',
    ),
  MILLRACE_HELD_BYTES: wholeNumberText(1_000_000, 4_000_000_000)
    .default(DEFAULT_HELD_BOUNDS.bytesMax)
    .describe('The same in bytes'),
  MILLRACE_HELD_SECONDS: wholeNumberText(10, 3_600)
    .default(DEFAULT_HELD_BOUNDS.secondsMax)
    .describe(
      'How long it keeps the lease of a message that nobody acknowledges; then the message comes again',
    ),
  MILLRACE_COMMIT_PATIENCE_SECONDS: wholeNumberText(0, COMMIT_PATIENCE_SECONDS_MAX)
    .default(COMMIT_PATIENCE_SECONDS)
    .describe('How long a bundle tries again what a store refuses, before it fails and its job starts again'),
  MILLRACE_JOB: z
    .string()
    .regex(JOB_NAME, 'is no name of a job: letters, digits and hyphens')
    .optional()
    .describe(
      'The name of the job that a worker is of, under which it is drained; `npm run pipeline` sets it',
    ),
});

/** Where the embedded stores lie, and how long a message of their topics is leased. */
const embeddedVariables = z.object({
  MILLRACE_DATA_DIR: startVariables.shape.MILLRACE_DATA_DIR,
  MILLRACE_ACK_DEADLINE_SECONDS: cloudVariables.shape.MILLRACE_ACK_DEADLINE_SECONDS,
});

/** Throws an error that names every variable that is wrong. One that is empty counts as not set. */
export function readHeldBounds(environment: NodeJS.ProcessEnv): HeldBounds {
  const variables = readVariables(portableVariables, environment);
  return {
    messagesMax: variables.MILLRACE_HELD_MESSAGES,
    bytesMax: variables.MILLRACE_HELD_BYTES,
    secondsMax: variables.MILLRACE_HELD_SECONDS,
  };
}

/** The same, in seconds. */
export const readCommitPatience = (environment: NodeJS.ProcessEnv): number =>
  readVariables(portableVariables, environment).MILLRACE_COMMIT_PATIENCE_SECONDS;

/** The same; undefined where no job is named. */
export const readJob = (environment: NodeJS.ProcessEnv): string | undefined =>
  readVariables(portableVariables, environment).MILLRACE_JOB;

/** The same. */
export function readEmbedded(environment: NodeJS.ProcessEnv): {
  readonly directory: string;
  readonly ackDeadlineSeconds: number;
} {
  const variables = readVariables(embeddedVariables, environment);
  return {
    directory: resolve(variables.MILLRACE_DATA_DIR),
    ackDeadlineSeconds: variables.MILLRACE_ACK_DEADLINE_SECONDS,
  };
}
