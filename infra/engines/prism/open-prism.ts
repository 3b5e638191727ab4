import type { EmulatorSettings } from '#infra/emulators/emulator.ts';
import { withRetries } from '#infra/emulators/from-source.ts';
import { startGuarded, type GuardedProcess } from '#infra/emulators/guarded-process.ts';
import { answersAt, freePort, LOOPBACK } from '#infra/emulators/loopback.ts';
import { untilReady } from '#infra/emulators/until-ready.ts';
import { asEngine } from '../as-engine.ts';
import { endGroup } from '../end-group.ts';
import type { Engine } from '../engine.ts';
import { prismBinary } from './prism-binary.ts';

/** Cancels the jobs of that name at a job service; what submits jobs knows how. */
export type CancelJobs = (jobEndpoint: string, name: string) => Promise<void>;

export interface PrismSettings extends EmulatorSettings {
  readonly cancelJobs: CancelJobs;
  /** A log file that stays; else the log goes with the engine. */
  readonly logFile?: string;
}

const SHOWN_OUTPUT = 300;

/**
 * Starts Prism, Beam's own runner for tests, on a free port of the loopback interface. It keeps everything in memory and retries nothing. Its
 * workers inherit its environment. Throws `EngineUnavailable` when it cannot be had.
 */
export const openPrism = (settings: PrismSettings): Promise<Engine> =>
  asEngine(async () => {
    const { path } = await prismBinary(settings);
    return withRetries(async () => {
      const port = await freePort();
      const child = startGuarded({
        program: path,
        args: () => [`-job_port=${port}`, '-serve_http=false', '-log_kind=json', '-log_level=info'],
        environment: settings.environment,
        ...(settings.logFile !== undefined && { outputPath: settings.logFile }),
      });
      const jobEndpoint = `${LOOPBACK}:${port}`;
      await untilReady(child, async () => (await answersAt(jobEndpoint)) || undefined);
      return engineOf(child, jobEndpoint, settings.cancelJobs);
    });
  });

function engineOf(child: GuardedProcess, jobEndpoint: string, cancelJobs: CancelJobs): Engine {
  let isClosed = false;
  return {
    name: 'prism',
    jobEndpoint,
    pids: child.pid === undefined ? [] : [child.pid],
    exited: child.exited.then(() => {
      if (isClosed) return new Promise<never>(() => undefined);
      return `Prism ended: ${child.output().trim().slice(-SHOWN_OUTPUT)}`;
    }),
    stopJob: (name) => cancelJobs(jobEndpoint, name),
    close: async () => {
      isClosed = true;
      await child.stop();
      if (child.pid !== undefined) await endGroup(child.pid);
    },
  };
}
