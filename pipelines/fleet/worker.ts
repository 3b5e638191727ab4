import type { Scheduler } from '#infra/scheduler.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { backoffMs } from '#pipelines/runner/backoff.ts';
import { runSession, type SessionEnd, type SessionOptions } from './session.ts';

export interface WorkerOptions extends Omit<SessionOptions, 'stores'> {
  /** Opens what a session works with. */
  readonly openStores: () => Promise<OpenedStores>;
}

/**
 * A worker until it is told to stop: one session, and another whenever it was cut off from its database for so long that it had to give
 * everything back. Stores that cannot be opened are tried again, but for the first time, which throws.
 */
export async function runWorker(signal: AbortSignal, options: WorkerOptions): Promise<SessionEnd> {
  const { scheduler, log } = options;
  for (let sessions = 1; ; sessions++) {
    const stores = sessions === 1 ? await options.openStores() : await openAgain(signal, options);
    if (stores === undefined) return 'drained';
    try {
      // Each session is a worker of its own: what the last one answered for expires by itself.
      const end = await runSession(signal, { ...options, worker: `${options.worker}-${sessions}`, stores });
      if (end !== 'fenced') return end;
    } catch (error) {
      if (sessions === 1 || signal.aborted) throw error;
      log.error({ err: error }, 'a session of the worker failed');
      await scheduler.sleep(backoffMs(sessions), signal);
    } finally {
      await stores.close().catch((error: unknown) => log.warn({ err: error }, 'the stores were not closed'));
    }
  }
}

/** Undefined when it was told to stop meanwhile. */
async function openAgain(
  signal: AbortSignal,
  {
    openStores,
    scheduler,
    log,
  }: { readonly scheduler: Scheduler } & Pick<WorkerOptions, 'openStores' | 'log'>,
): Promise<OpenedStores | undefined> {
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      return await openStores();
    } catch (error) {
      log.error({ err: error, failures }, 'the stores cannot be opened; trying again');
      await scheduler.sleep(backoffMs(failures), signal);
    }
  }
  return undefined;
}
