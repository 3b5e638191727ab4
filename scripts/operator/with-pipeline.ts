import { readBackend } from '#infra/cloud/backend.ts';
import { startPipeline } from '#infra/local/start/platform.ts';
import { readStartSettings } from '#infra/local/start/settings.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { dataDirectory } from './data-directory.ts';
import type { Invocation } from './terminal.ts';

/**
 * Does something that waits for the watermark, which only a pipeline moves: on the embedded stores with one of its own, so that it makes no difference
 * whether a server runs. A fleet moves its own.
 */
export async function withPipeline(
  { environment, terminal }: Pick<Invocation, 'environment' | 'terminal'>,
  work: () => Promise<void>,
): Promise<void> {
  if (readBackend(environment) !== 'embedded') return work();
  const settings = readStartSettings({ ...environment, MILLRACE_DATA_DIR: dataDirectory(environment) });
  const pipeline = await startPipeline(settings, {
    scheduler: systemScheduler,
    say: (line) => terminal.note(`${line}\n`),
  });
  try {
    await work();
  } finally {
    await pipeline.stop();
  }
}
