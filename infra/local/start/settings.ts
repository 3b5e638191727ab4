import { resolve } from 'node:path';
import { z } from 'zod';
import { KEY_LIMITS } from '#infra/access/token-buckets.ts';
import { HORIZON_MICROS } from '#domain/limits.ts';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { DEFAULT_LATENESS_MICROS } from '#infra/usage/watermark.ts';
import { readVariables, wholeNumberText } from '#infra/variables.ts';

/** As good as no limit. */
const KEY_RATE_MAX = 1_000_000_000;

/** How `npm start` is set up, from the environment; every value has a default. */
export const startVariables = z.object({
  MILLRACE_DATA_DIR: z.string().default('.millrace').describe('Where the embedded stores lie'),
  /** Loopback unless it is said otherwise: the development key must not be reachable from outside. */
  MILLRACE_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Where the API listens; all interfaces on Cloud Run'),
  MILLRACE_PORT: wholeNumberText(0, 65_535)
    .default(8_080)
    .describe('Its port; 0 takes a free one; `PORT` on Cloud Run'),
  MILLRACE_LOG_LEVEL: z
    .enum(['silent', 'error', 'warn', 'info', 'debug'])
    .default('warn')
    .describe('What is logged, on standard error'),
  /** What the feeds promise: an event is published at most so long after it happened. */
  MILLRACE_LATENESS_SECONDS: wholeNumberText(0, HORIZON_MICROS / MICROS_PER_SECOND)
    .default(DEFAULT_LATENESS_MICROS / MICROS_PER_SECOND)
    .describe('How long after it happened an event is published at the latest'),
  /** How long a stopping server waits for the requests in hand. */
  MILLRACE_GRACE_SECONDS: wholeNumberText(0, 600)
    .default(10)
    .describe('How long requests in hand are waited for when the API is told to stop'),
  /** What one API key may send; beyond it the answer is 429. */
  MILLRACE_KEY_EVENTS_PER_SECOND: wholeNumberText(1, KEY_RATE_MAX)
    .default(KEY_LIMITS.eventsPerSecond)
    .describe('What one API key may send, beyond which it is told to come again'),
  MILLRACE_KEY_BYTES_PER_SECOND: wholeNumberText(1, KEY_RATE_MAX)
    .default(KEY_LIMITS.bytesPerSecond)
    .describe('The same in bytes'),
});

export interface StartSettings {
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly latenessSeconds: number;
  readonly graceSeconds: number;
  readonly keyEventsPerSecond: number;
  readonly keyBytesPerSecond: number;
}

/** Throws an error that names every variable that is wrong. One that is empty counts as not set. */
export function readStartSettings(environment: NodeJS.ProcessEnv): StartSettings {
  const data = readVariables(startVariables, environment);
  return {
    directory: resolve(data.MILLRACE_DATA_DIR),
    host: data.MILLRACE_HOST,
    port: data.MILLRACE_PORT,
    logLevel: data.MILLRACE_LOG_LEVEL,
    latenessSeconds: data.MILLRACE_LATENESS_SECONDS,
    graceSeconds: data.MILLRACE_GRACE_SECONDS,
    keyEventsPerSecond: data.MILLRACE_KEY_EVENTS_PER_SECOND,
    keyBytesPerSecond: data.MILLRACE_KEY_BYTES_PER_SECOND,
  };
}

const LOOPBACK = /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/;

/** Whether only programs on this machine can reach what listens on the host. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);
