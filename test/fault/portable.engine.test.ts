import { join } from 'node:path';
import { flinkJars } from '#infra/engines/flink/flink-jars.ts';
import { miniClusters } from '#infra/engines/flink/mini-clusters.ts';
import { jobsOn } from '#infra/engines/flink/running-jobs.ts';
import { prismBinary } from '#infra/engines/prism/prism-binary.ts';
import { cancelJobs } from '#pipelines/beam/cancel-jobs.ts';
import {
  breakSpanner,
  cancelJob,
  drainForNext,
  killEngine,
  killTaskManager,
  killWorker,
  refuseAtSpanner,
} from './portable-faults.ts';
import type { PortableRun, Scenario } from './portable-run.ts';
import { describePortable } from './portable.ts';

async function cancelOnPrism({ pipeline }: PortableRun): Promise<void> {
  // It says so again whenever it has started Prism again.
  const said = [
    ...pipeline()
      .errorText()
      .matchAll(/its job service is (\S+)/g),
  ];
  const endpoint = said.at(-1)?.[1];
  if (endpoint === undefined) throw new Error(`Prism said no address\n${pipeline().explain()}`);
  await cancelJobs(endpoint, pipeline().status()?.name ?? '');
}

/** At Flink itself, as an operator would: its own word for it does not come back as a cancellation. */
async function cancelOnFlink({ folder, pipeline }: PortableRun): Promise<void> {
  const clusters = miniClusters(join(folder(), 'logs', 'job-server.out'));
  const [job] = await jobsOn(await clusters(), pipeline().status()?.name);
  if (job === undefined) throw new Error(`Flink knows no such job\n${pipeline().explain()}`);
  await job.rest.cancel(job.id);
}

const UNDISTURBED: Scenario = { name: 'commits everything that is published' };
const though = (what: string, fault: Scenario['fault'] & object): Scenario => ({
  name: `commits everything though ${what}`,
  fault,
});
const inFull = (scenario: Scenario): Scenario => ({ ...scenario, onlyInFull: true });

const WORKER_KILLED = though('a worker is killed', killWorker);
const REFUSED = though('commits are refused until bundles fail', refuseAtSpanner);
const SPANNER_AWAY = inFull(though('Spanner goes away now and then', breakSpanner));
const TAKE_OVER = inFull(though('another job takes over', drainForNext));

const FLINK = ['--runner', 'flink', '--readers', '2', '--checkpoint', '2s'];

describePortable([
  {
    title: 'Prism',
    prepare: prismBinary,
    args: () => ['--runner', 'prism', '--readers', '2'],
    scenarios: [
      UNDISTURBED,
      WORKER_KILLED,
      REFUSED,
      though('Prism is killed', killEngine('-job_port=')),
      SPANNER_AWAY,
      inFull(though('the job is cancelled', cancelJob(cancelOnPrism))),
      TAKE_OVER,
    ],
  },
  {
    title: 'Flink, all in one process',
    prepare: flinkJars,
    args: (folder) => [...FLINK, '--folder', folder],
    scenarios: [
      inFull(UNDISTURBED),
      WORKER_KILLED,
      though('Flink is killed', killEngine('FlinkJobServerDriver')),
      inFull(REFUSED),
      SPANNER_AWAY,
      inFull(though('the job is cancelled', cancelJob(cancelOnFlink))),
      TAKE_OVER,
    ],
  },
  {
    title: 'Flink, a JobManager and two TaskManagers',
    prepare: flinkJars,
    args: (folder) => [...FLINK, '--task-managers', '2', '--parallelism', '2', '--folder', folder],
    scenarios: [
      inFull(UNDISTURBED),
      inFull(though('a TaskManager is killed', killTaskManager)),
      inFull(though('the JobManager is killed', killEngine('StandaloneSessionClusterEntrypoint'))),
    ],
  },
]);
