import { z } from 'zod';
import { readVariables } from '#infra/variables.ts';

export const BACKENDS = ['embedded', 'gcp'] as const;
/** What the stores are: our own on this machine, or Google Cloud and its emulators. */
export type Backend = (typeof BACKENDS)[number];

export const backendVariables = z.object({
  MILLRACE_BACKEND: z
    .enum(BACKENDS)
    .default('embedded')
    .describe('What the stores are: `embedded` on this machine, or `gcp`, Google Cloud and its emulators'),
});

/** Throws an error that says which backings there are. */
export const readBackend = (environment: NodeJS.ProcessEnv): Backend =>
  readVariables(backendVariables, environment).MILLRACE_BACKEND;
