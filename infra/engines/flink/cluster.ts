import type { GuardedProcess } from '#infra/emulators/guarded-process.ts';
import { withRetries } from '#infra/emulators/from-source.ts';
import { freePort, LOOPBACK } from '#infra/emulators/loopback.ts';
import { untilReady } from '#infra/emulators/until-ready.ts';
import { asEngine } from '../as-engine.ts';
import { clusterConfiguration, writeConfiguration, type Folders } from './configuration.ts';
import { startFlinkProcess, type FlinkProcessSettings } from './flink-process.ts';
import { FlinkRefused, FlinkUnreachable } from './rest-call.ts';
import type { FlinkTaskManager } from './rest-answers.ts';
import { flinkRest, type FlinkRest } from './rest.ts';

/** A JobManager and TaskManagers, each a process of its own. */
export interface FlinkCluster {
  readonly rest: FlinkRest;
  /** `host:port` of its REST interface. */
  readonly master: string;
  readonly jobManager: GuardedProcess;
  /** In the order of their start, those that have ended too. */
  readonly taskManagers: readonly GuardedProcess[];
  /** One more; resolves when the JobManager knows its slots. */
  startTaskManager(): Promise<GuardedProcess>;
}

export interface FlinkClusterSettings extends FlinkProcessSettings {
  readonly folders: Folders;
  /** Where `flink-conf.yaml` is written to. */
  readonly configuration: string;
  readonly taskManagers: number;
  /** Of each TaskManager. */
  readonly slots: number;
  /** Of each TaskManager. */
  readonly heapMb: number;
}

const JOB_MANAGER = 'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint';
const TASK_MANAGER = 'org.apache.flink.runtime.taskexecutor.TaskManagerRunner';
/** It keeps no events, only the graphs of jobs and where their checkpoints are. */
const JOB_MANAGER_HEAP_MB = 384;

/** Starts it, all on the loopback interface. Throws `EngineUnavailable` with what a process said that is not ready in time. */
export async function startCluster(settings: FlinkClusterSettings): Promise<FlinkCluster> {
  const { jobManager, rest, master } = await asEngine(() => withRetries(() => startJobManager(settings)));
  const taskManagers: GuardedProcess[] = [];
  let started = 0;
  const startTaskManager = async (): Promise<GuardedProcess> => {
    const name = `task-manager-${++started}`;
    const process = await startFlinkProcess(taskManager(settings, name), settings);
    taskManagers.push(process);
    // Slots come a moment after the TaskManager itself.
    const isKnown = async (): Promise<true | undefined> =>
      (await known(rest))?.some(({ id, slots }) => id === name && slots > 0) || undefined;
    await asEngine(() => untilReady(process, isKnown));
    return process;
  };
  try {
    await Promise.all(Array.from({ length: settings.taskManagers }, startTaskManager));
  } catch (error) {
    await Promise.all([jobManager, ...taskManagers].map((each) => each.stop()));
    throw error;
  }
  return { rest, master, jobManager, taskManagers, startTaskManager };
}

type Started = Pick<FlinkCluster, 'jobManager' | 'rest' | 'master'>;

async function startJobManager(settings: FlinkClusterSettings): Promise<Started> {
  const { folders, configuration, slots, heapMb } = settings;
  const [rpcPort, restPort] = [await freePort(), await freePort()];
  await writeConfiguration(
    configuration,
    clusterConfiguration(folders, { rpcPort, restPort, slots, heapMb }),
  );
  const master = `${LOOPBACK}:${restPort}`;
  const rest = flinkRest(`http://${master}`);
  const jobManager = await startFlinkProcess(
    {
      name: 'job-manager',
      main: JOB_MANAGER,
      args: ['--configDir', configuration],
      heapMb: JOB_MANAGER_HEAP_MB,
    },
    settings,
  );
  await untilReady(jobManager, () => known(rest));
  return { jobManager, rest, master };
}

const taskManager = (
  { configuration, heapMb }: FlinkClusterSettings,
  name: string,
): Parameters<typeof startFlinkProcess>[0] => ({
  name,
  main: TASK_MANAGER,
  args: ['--configDir', configuration, `-Dtaskmanager.resource-id=${name}`],
  heapMb,
});

/** Undefined while the JobManager does not answer, or not yet as one that leads. */
async function known(rest: FlinkRest): Promise<readonly FlinkTaskManager[] | undefined> {
  try {
    return await rest.taskManagers();
  } catch (error) {
    if (error instanceof FlinkUnreachable || error instanceof FlinkRefused) return undefined;
    throw error;
  }
}
