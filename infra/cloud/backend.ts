import { z } from 'zod';

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
export function readBackend({ MILLRACE_BACKEND: given }: NodeJS.ProcessEnv): Backend {
  const parsed = backendVariables.safeParse(given === '' ? {} : { MILLRACE_BACKEND: given });
  if (!parsed.success) throw new Error(`the environment is wrong:\n${z.prettifyError(parsed.error)}`);
  return parsed.data.MILLRACE_BACKEND;
}
