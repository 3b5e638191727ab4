import { join } from 'node:path';
import { withRetries } from '#infra/emulators/from-source.ts';
import type { GuardedProcess } from '#infra/emulators/guarded-process.ts';
import { answersAt, freePort, LOOPBACK } from '#infra/emulators/loopback.ts';
import { untilReady } from '#infra/emulators/until-ready.ts';
import { asEngine } from '../as-engine.ts';
import { startFlinkProcess, type FlinkProcessSettings } from './flink-process.ts';

/** Beam's job service in front of Flink: takes a pipeline, makes a Flink job of it. */
export interface FlinkJobServer {
  /** `host:port` */
  readonly endpoint: string;
  readonly process: GuardedProcess;
}

export interface JobServerSettings extends FlinkProcessSettings {
  /** `host:port` of a cluster's REST interface; none for a mini cluster in the same process for each job. */
  readonly master?: string;
  /** The folder of `flink-conf.yaml`. */
  readonly configuration: string;
  readonly heapMb: number;
}

const MAIN = 'org.apache.beam.runners.flink.FlinkJobServerDriver';
const MINI_CLUSTER = '[local]';
/** It would keep an expansion service for transforms of other languages: we send none. */
const NO_EXPANSION_SERVICE = '--expansion-port=-1';

/** Starts it on a free port. Throws `EngineUnavailable` with what it said when it does not answer. */
export async function startJobServer(settings: JobServerSettings): Promise<FlinkJobServer> {
  return asEngine(() => withRetries(() => startOnce(settings)));
}

async function startOnce(settings: JobServerSettings): Promise<FlinkJobServer> {
  const { master = MINI_CLUSTER, configuration, heapMb, logs } = settings;
  const port = await freePort();
  const endpoint = `${LOOPBACK}:${port}`;
  const process = await startFlinkProcess(
    {
      name: 'job-server',
      main: MAIN,
      args: [
        ...[`--job-host=${LOOPBACK}`, `--job-port=${port}`, '--artifact-port=0', NO_EXPANSION_SERVICE],
        ...[`--artifacts-dir=${join(logs, 'artifacts')}`, `--flink-conf-dir=${configuration}`],
        `--flink-master=${master}`,
      ],
      heapMb,
    },
    settings,
  );
  await untilReady(process, async () => (await answersAt(endpoint)) || undefined);
  return { endpoint, process };
}
