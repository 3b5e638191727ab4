import type { EmulatorSettings } from '#infra/emulators/emulator.ts';
import { EngineUnavailable, type Engine } from '#infra/engines/engine.ts';
import { openFlink, type FlinkEngine, type FlinkSettings } from '#infra/engines/flink/open-flink.ts';
import { openPrism } from '#infra/engines/prism/open-prism.ts';
import { cancelJobs } from '#pipelines/beam/cancel-jobs.ts';
import { skipSuite } from './emulators.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Prism for tests; workers inherit `environment`. Throws `EngineUnavailable` when it cannot be had. */
export const openTestPrism = (environment: NodeJS.ProcessEnv = process.env): Promise<Engine> =>
  openPrism({ environment, say, cancelJobs });

/** Flink for tests, with its files below the folder. Throws `EngineUnavailable` when it cannot be had. */
export const openTestFlink = (
  mode: FlinkSettings['mode'],
  folder: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<FlinkEngine> => openFlink({ mode, folder, environment, say });

/**
 * To be called in a `describe` of an `*.engine.test.ts`, before its hooks: an engine of the suite's own, ready in its tests. Where it cannot be
 * had, the suite is reported as `not run` with the reason.
 */
export function useEngine<Opened extends Engine>(open: () => Promise<Opened>): () => Opened {
  let engine: Opened | undefined;
  before('engine', async function () {
    // The first to ask may have to wait until it is built or fetched.
    this.timeout(0);
    try {
      engine = await open();
    } catch (error) {
      if (error instanceof EngineUnavailable) skipSuite(this, `no engine: ${error.message}`);
      throw error;
    }
  });
  after('engine', () => engine?.close());
  return () => {
    if (engine === undefined) throw new Error('an engine is known in hooks and tests of its suite');
    return engine;
  };
}

/**
 * To be called in a `describe`, before its hooks: what an engine is started from is ready in its tests, for a program that starts one by itself. Where it
 * cannot be had, the suite is reported as `not run` with the reason.
 */
export function usePrepared(prepare: (settings: EmulatorSettings) => Promise<unknown>): void {
  before('what the engine is started from', async function () {
    this.timeout(0);
    try {
      await prepare({ environment: process.env, say });
    } catch (error) {
      if (error instanceof EngineUnavailable) skipSuite(this, `no engine: ${error.message}`);
      throw error;
    }
  });
}
