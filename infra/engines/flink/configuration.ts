import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOOPBACK } from '#infra/emulators/loopback.ts';

/** The settings of a Flink process by their names in Flink's documentation. */
export type FlinkConfiguration = Readonly<Record<string, string | number | boolean>>;

/** The name that Flink looks for in a configuration folder. */
const FILE = 'flink-conf.yaml';

/** Writes `flink-conf.yaml` into the folder, which is made. */
export async function writeConfiguration(folder: string, configuration: FlinkConfiguration): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, FILE), formatConfiguration(configuration));
}

/**
 * As Flink 1.15 reads it, which is not YAML: a line is a name, a colon, a blank and the rest, and a number sign ends it, quoted or not. Throws an
 * error for a value that cannot be written so.
 */
export function formatConfiguration(configuration: FlinkConfiguration): string {
  return Object.entries(configuration)
    .map(([name, value]) => {
      if (/[#\r\n]/.test(`${name}${value}`))
        throw new Error(`${name} cannot be set to ${JSON.stringify(value)} in ${FILE}`);
      return `${name}: ${value}\n`;
    })
    .join('');
}

/** A local folder as Flink names it: it takes the path as it stands, so that nothing of it is escaped. */
export const folderUrl = (path: string): string => `file://${path}`;

/** Longer pauses after each failure, for as long as it fails: a store that is away comes back, and whoever watches has told by then. */
const RESTARTS: FlinkConfiguration = {
  'restart-strategy': 'exponential-delay',
  'restart-strategy.exponential-delay.initial-backoff': '1 s',
  'restart-strategy.exponential-delay.max-backoff': '30 s',
  'restart-strategy.exponential-delay.backoff-multiplier': '2.0',
  'restart-strategy.exponential-delay.reset-backoff-threshold': '2 min',
  'restart-strategy.exponential-delay.jitter-factor': '0.1',
};

export interface Folders {
  readonly temporary: string;
  readonly checkpoints: string;
  readonly savepoints: string;
}

/** What is the same for all our Flink processes: nothing listens beyond this machine, restarts are bounded in their rate, state lies in files. */
export const commonConfiguration = (folders: Folders): FlinkConfiguration => ({
  'rest.address': LOOPBACK,
  'rest.bind-address': LOOPBACK,
  'jobmanager.rpc.address': LOOPBACK,
  'jobmanager.bind-host': LOOPBACK,
  'taskmanager.host': LOOPBACK,
  'taskmanager.bind-host': LOOPBACK,
  'io.tmp.dirs': folders.temporary,
  'blob.storage.directory': folders.temporary,
  'state.backend': 'hashmap',
  'state.checkpoints.dir': folderUrl(folders.checkpoints),
  'state.savepoints.dir': folderUrl(folders.savepoints),
  // Jobs bring no classes: everything is on the class path, and once is enough.
  'classloader.resolve-order': 'parent-first',
  // Its web interface shows jobs, and takes no programs.
  'web.submit.enable': false,
  // How old a job, or a metric, may be that the REST interface shows.
  'web.refresh-interval': 1_000,
  'metrics.fetcher.update-interval': 2_000,
  ...RESTARTS,
});

/** A mini cluster lives in the job server's process, one for each job, and takes a free port for its REST interface. */
export const miniConfiguration = (folders: Folders, slots: number | undefined): FlinkConfiguration => ({
  ...commonConfiguration(folders),
  'rest.bind-port': 0,
  ...(slots !== undefined && { 'taskmanager.numberOfTaskSlots': slots }),
});

export interface ClusterSettings {
  readonly rpcPort: number;
  readonly restPort: number;
  /** Of each TaskManager. */
  readonly slots: number;
  /** Of each TaskManager. */
  readonly heapMb: number;
}

/** What Flink itself takes by default. */
const FRAMEWORK_MB = 128;
/** For sorting in bounded jobs, and for RocksDB where it is used. */
const MANAGED_MB = 128;
const NETWORK_MB = 64;
const METASPACE_MB = 256;
const OVERHEAD_MB = 192;

/** Of one JobManager and its TaskManagers, which read the same file. */
export const clusterConfiguration = (
  folders: Folders,
  { rpcPort, restPort, slots, heapMb }: ClusterSettings,
): FlinkConfiguration => ({
  ...commonConfiguration(folders),
  'jobmanager.rpc.port': rpcPort,
  'rest.port': restPort,
  'rest.bind-port': restPort,
  'taskmanager.numberOfTaskSlots': slots,
  // Slots of all TaskManagers before a second one of any: two readers shall not share a worker process while another has none.
  'cluster.evenly-spread-out-slots': true,
  // Flink's start scripts work these out and pass them on; a TaskManager that is started without them wants each.
  'taskmanager.cpu.cores': slots,
  'taskmanager.memory.framework.heap.size': `${FRAMEWORK_MB}m`,
  'taskmanager.memory.framework.off-heap.size': `${FRAMEWORK_MB}m`,
  'taskmanager.memory.task.heap.size': `${Math.max(heapMb - FRAMEWORK_MB, FRAMEWORK_MB)}m`,
  'taskmanager.memory.task.off-heap.size': '0m',
  'taskmanager.memory.managed.size': `${MANAGED_MB}m`,
  'taskmanager.memory.network.min': `${NETWORK_MB}m`,
  'taskmanager.memory.network.max': `${NETWORK_MB}m`,
  'taskmanager.memory.jvm-metaspace.size': `${METASPACE_MB}m`,
  'taskmanager.memory.jvm-overhead.min': `${OVERHEAD_MB}m`,
  'taskmanager.memory.jvm-overhead.max': `${OVERHEAD_MB}m`,
  // One that was killed is noticed by its broken connections; one that hangs, by this.
  'heartbeat.interval': 1_000,
  'heartbeat.timeout': 15_000,
});
