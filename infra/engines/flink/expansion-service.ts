import { join } from 'node:path';
import { withRetries } from '#infra/emulators/from-source.ts';
import { answersAt, freePort, LOOPBACK } from '#infra/emulators/loopback.ts';
import { untilReady } from '#infra/emulators/until-ready.ts';
import { asEngine } from '../as-engine.ts';
import { startFlinkProcess, type FlinkProcessSettings } from './flink-process.ts';

/** Tells what a transform of Java's looks like in a pipeline. It is asked when a job is submitted, and is of no use after that. */
export interface ExpansionService {
  /** `host:port` */
  readonly endpoint: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Ours, of `expansion/patch`: Beam's listens on every interface. */
const MAIN = 'millrace.LoopbackExpansionService';
const HEAP_MB = 256;
/** Reads stay the primitive that Flink runs by itself; without it they are splittable DoFns of Java, which want a worker of Java's. */
const PRIMITIVE_READS = '--experiments=use_deprecated_read';
/** It wants something to be staged with what it expands, and nobody stages it: its own class will do. */
const STAGED = 'classes/millrace/LoopbackExpansionService.class';

/**
 * Starts it on a free port of the loopback interface, from the jars of `flinkJarsWithExpansion`. Throws `EngineUnavailable` with what it said when it
 * does not answer.
 */
export async function startExpansionService(settings: FlinkProcessSettings): Promise<ExpansionService> {
  return asEngine(() => withRetries(() => startOnce(settings)));
}

async function startOnce(settings: FlinkProcessSettings): Promise<ExpansionService> {
  const port = await freePort();
  const endpoint = `${LOOPBACK}:${port}`;
  const process = await startFlinkProcess(
    {
      name: 'expansion-service',
      main: MAIN,
      args: [String(port), PRIMITIVE_READS, `--filesToStage=${join(settings.jars.folder, STAGED)}`],
      heapMb: HEAP_MB,
    },
    settings,
  );
  await untilReady(process, async () => (await answersAt(endpoint)) || undefined);
  return { endpoint, pid: process.pid, stop: () => process.stop() };
}
