import { join, resolve } from 'node:path';

const MINUTE_MS = 60_000;
const DEFAULT_LIMIT_MINUTES = 20;

/** Where the user keeps what can be made again: outside the checkout, so that a fresh clone need not make it. */
export function cacheFolder({ MILLRACE_CACHE_DIR, XDG_CACHE_HOME, HOME = '.' }: NodeJS.ProcessEnv): string {
  return resolve(MILLRACE_CACHE_DIR || join(XDG_CACHE_HOME || join(HOME, '.cache'), 'millrace'));
}

/** How long making something for the cache, or waiting for another who makes it, may take: `MILLRACE_BUILD_MINUTES`, or 20 minutes. */
export function buildLimitMs({ MILLRACE_BUILD_MINUTES }: NodeJS.ProcessEnv): number {
  if (!MILLRACE_BUILD_MINUTES) return DEFAULT_LIMIT_MINUTES * MINUTE_MS;
  if (/^\d{1,4}$/.test(MILLRACE_BUILD_MINUTES)) return Number(MILLRACE_BUILD_MINUTES) * MINUTE_MS;
  throw new Error(`MILLRACE_BUILD_MINUTES is no number of minutes: ${MILLRACE_BUILD_MINUTES}`);
}
