import { setTimeout as sleep } from 'node:timers/promises';
import type { EmulatorSettings } from '#infra/emulators/emulator.ts';
import { flinkJars } from '#infra/engines/flink/flink-jars.ts';
import { prismBinary } from '#infra/engines/prism/prism-binary.ts';
import type { DemoStores } from './backing.ts';
import { countStored, storable } from './count-stores.ts';
import type { DemoPipeline } from './demo-pipeline.ts';
import type { EngineName } from './engine-names.ts';
import { sumOf } from './expected.ts';
import { startPortable, type PortableProcess, type ToldStatus } from './portable-process.ts';

/** An engine as the demo uses it. */
interface DemoEngine {
  readonly title: string;
  /** Finds or makes what it is started from. Throws `EngineUnavailable`. */
  readonly prepare: (settings: EmulatorSettings) => Promise<unknown>;
  /** Whether it keeps logs in a folder that `npm run pipeline` is given. */
  readonly hasFolder: boolean;
  /** Who starts a job again whose worker has died. */
  readonly restartedBy: string;
}

export const ENGINES: Readonly<Record<EngineName, DemoEngine>> = {
  flink: {
    title: 'Flink, all of it in one Java process',
    prepare: flinkJars,
    hasFolder: true,
    restartedBy: 'Flink started the job again by itself',
  },
  prism: {
    title: 'Prism',
    prepare: prismBinary,
    hasFolder: false,
    restartedBy: 'Prism starts nothing again, so the supervisor submitted the job again',
  },
};

export interface PortablePipelineSettings {
  readonly engine: EngineName;
  /** Of the stores: as `npm run pipeline` and its workers read them. */
  readonly environment: Readonly<Record<string, string>>;
  /** For logs, configuration and checkpoints; it stays. */
  readonly folder: string;
  readonly stores: Pick<DemoStores, 'database'>;
  readonly say: (line: string) => void;
}

const POLL_MS = 100;
/** Everything is counted again each time, which an emulator feels. */
const COUNT_EVERY_MS = 1_500;

/** Submits the usage job to an engine that is started for it, and resolves when a worker of it lives. Throws when it ends before. */
export async function startPortablePipeline(settings: PortablePipelineSettings): Promise<DemoPipeline> {
  const { engine: name, environment, folder, stores, say } = settings;
  const engine = ENGINES[name];
  say(`${name}: starting it and submitting the job, which takes a quarter of a minute`);
  const job = startPortable(
    ['--runner', name, ...(engine.hasFolder ? ['--folder', folder] : [])],
    environment,
  );
  const until = (condition: (status: ToldStatus) => boolean): Promise<void> => untilStatus(job, condition);
  await until(isAtWork);
  const page = job.status?.page;
  say(`${name}: the job runs${page === undefined ? '' : `; look at it while it does: ${page}`}`);
  const counting = countAsItGoes(stores, job);
  let restartsBefore = 0;
  return {
    get isRunning() {
      return job.isRunning;
    },
    done: counting.stored,
    toDo: (messages) => sumOf(storable(messages)),
    kill: async () => {
      restartsBefore = job.status?.restarts ?? 0;
      return `a Node worker of the job (SIGKILL, pid ${await killOne(job)})`;
    },
    recover: async () => {
      await until((status) => status.restarts > restartsBefore && isAtWork(status));
      return engine.restartedBy;
    },
    cost: () => undefined,
    engine: () => tellEngine(engine, job, folder),
    stop: async () => {
      counting.end();
      await job.stop();
    },
  };
}

const isAtWork = ({ state, workers }: ToldStatus): boolean => state === 'RUNNING' && (workers ?? 0) > 0;

async function untilStatus(job: PortableProcess, condition: (status: ToldStatus) => boolean): Promise<void> {
  while (job.status === undefined || !condition(job.status)) {
    if (!job.isRunning) throw new Error('the pipeline has ended by itself');
    await sleep(POLL_MS);
  }
}

/** One of them, that is: the others of the job are stopped with it. */
async function killOne(job: PortableProcess): Promise<number> {
  const [pid] = await job.workers();
  if (pid === undefined) throw new Error('the job has no worker to kill');
  process.kill(pid, 'SIGKILL');
  return pid;
}

/** Its workers are no children of ours that could report, so that what they have stored is counted instead. */
function countAsItGoes(
  stores: PortablePipelineSettings['stores'],
  job: PortableProcess,
): { readonly stored: () => number; readonly end: () => void } {
  let stored = 0;
  let isOver = false;
  const count = async (): Promise<void> => {
    while (!isOver && job.isRunning) {
      // An emulator that is busy is asked again.
      stored = Math.max(stored, await countStored(stores).then(sumOf, () => 0));
      await sleep(COUNT_EVERY_MS);
    }
  };
  void count();
  return { stored: () => stored, end: () => void (isOver = true) };
}

function tellEngine({ title, hasFolder }: DemoEngine, { status }: PortableProcess, folder: string): string {
  const restarts = status?.restarts ?? 0;
  return `${title}; the job was started again ${restarts === 1 ? 'once' : `${restarts} times`}${hasFolder ? `; its logs: ${folder}/logs` : ''}`;
}
