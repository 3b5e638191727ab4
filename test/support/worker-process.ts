import { join } from 'node:path';
import { emptyCounters, type UsageCounters } from '#pipelines/usage/counters.ts';
import { startChild, type Child } from './child-process.ts';
import { eventually } from './eventually.ts';

const PROGRAM = join(import.meta.dirname, '../../pipelines/fleet/main.ts');

interface Report {
  readonly ready?: true;
  readonly healthPort?: number;
  readonly counters?: UsageCounters;
}

/** A worker of a fleet as a process of its own. */
export interface WorkerProcess extends Child {
  /** Resolves when it pulls; rejects, with what it said, when it ends before. */
  readonly ready: Promise<void>;
  /** As last reported: behind by up to a quarter of a second. */
  counters(): UsageCounters;
  /** Asks its health port. */
  ask(path: '/healthz' | '/readyz' | '/metrics'): Promise<{ readonly status: number; readonly text: string }>;
}

/** In the environment of the emulators of a suite, on a free health port. */
export function startWorker(environment: Readonly<Record<string, string>>): WorkerProcess {
  const child = startChild(PROGRAM, [], {
    environment: {
      MILLRACE_LOG_LEVEL: 'warn',
      MILLRACE_HEALTH_HOST: '127.0.0.1',
      MILLRACE_HEALTH_PORT: '0',
      ...environment,
    },
  });
  let counters = emptyCounters();
  let healthPort: number | undefined;
  child.process.on('message', (report: Report) => {
    healthPort = report.healthPort ?? healthPort;
    counters = report.counters ?? counters;
  });
  const ready = eventually(
    'the worker pulls',
    () => {
      if (child.hasExited()) throw new Error(`the worker has ended\n${child.errorText()}`);
      return healthPort !== undefined;
    },
    { explain: child.errorText },
  );
  // Whoever kills it before it is ready does not wait for it.
  ready.catch(() => undefined);
  return {
    ...child,
    ready,
    counters: () => counters,
    ask: async (path) => {
      const response = await fetch(`http://127.0.0.1:${healthPort}${path}`);
      return { status: response.status, text: await response.text() };
    },
  };
}
