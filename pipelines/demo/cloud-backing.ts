import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCloud, type CloudStores } from '#infra/cloud/open-cloud.ts';
import { prepareCloud } from '#infra/cloud/prepare-cloud.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import { EMULATOR_NAMES, isRunning, type Emulator } from '#infra/emulators/emulator.ts';
import { openEmulators, variablesOf } from '#infra/emulators/open-emulators.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { createClosing } from '#infra/stores/opened-stores.ts';
import { readFreshness } from '#infra/usage/watermark.ts';
import { startApi } from './api-process.ts';
import type { DemoBacking } from './backing.ts';
import { countConflicts, countDeadLetters, countEvents, storable } from './count-stores.ts';
import type { Planned } from './data-set.ts';
import { pipelineOfProcesses, type DemoPipeline } from './demo-pipeline.ts';
import type { EngineName } from './engine-names.ts';
import { sumOf } from './expected.ts';
import { startWorker } from './pipeline-process.ts';
import { ENGINES, startPortablePipeline } from './portable-pipeline.ts';

/** A workstation's emulators take some thousand rows a second, so that this ends within about two minutes. */
const SCALE = {
  events: 5_000,
  lateEvents: 60,
  steadyLoad: { eventsPerSecond: 40, seconds: 3 },
  checksPerSecond: 5,
} as const;
export interface CloudBackingOptions {
  readonly directory: string;
  readonly runner: EngineName | undefined;
}

const POLL_MS = 250;
/** Everything is counted again each time, which an emulator feels. */
const COUNT_EVERY_MS = 1_500;
const NAME_BYTES = 4;

/**
 * Spanner, Pub/Sub and BigQuery on emulators: those that the environment points to, or ones that are started here and end with the demo.
 * Never a project. With an engine the pipeline is a job of it, else a worker of a fleet. Throws when one of these cannot be had, with the reason.
 */
export async function cloudBacking({ directory, runner }: CloudBackingOptions): Promise<DemoBacking> {
  await rm(directory, { recursive: true, force: true });
  const { keep, close } = createClosing();
  try {
    if (runner !== undefined) await ENGINES[runner].prepare({ environment: process.env, say });
    const emulators = await startEmulators(keep);
    const environment = { ...variablesOf(emulators, process.env), ...namesOfRun() };
    const settings = readCloudSettings(environment);
    await prepareCloud(settings, systemScheduler.now);
    const stores = keep(await openCloud({ settings, clock: systemScheduler.now, tag: 'demo' }));
    const startPipeline = pipelineOn(stores, { directory, runner, environment });
    return { ...backingOn(stores, environment), startPipeline, close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function startEmulators(
  keep: <Store extends { close(): Promise<void> }>(store: Store) => Store,
): Promise<Emulator[]> {
  const emulators = await openEmulators(EMULATOR_NAMES, { environment: process.env, say });
  for (const each of emulators) if (isRunning(each)) keep({ close: () => each.stop() });
  const missing = emulators.flatMap((each) => (isRunning(each) ? [] : [`${each.name}: ${each.reason}`]));
  if (missing.length > 0) throw new Error(`an emulator cannot be had:\n  ${missing.join('\n  ')}`);
  return emulators;
}

/** Database, dataset and topics of this run, whatever else is on the emulators. */
function namesOfRun(): Record<string, string> {
  const run = randomBytes(NAME_BYTES).toString('hex');
  const [usage, api] = [`usage-${run}`, `api-${run}`];
  return {
    MILLRACE_BACKEND: 'gcp',
    MILLRACE_SPANNER_INSTANCE: 'demo',
    MILLRACE_SPANNER_DATABASE: `demo-${run}`,
    MILLRACE_BIGQUERY_DATASET: `demo_${run}`,
    MILLRACE_API_TOPIC: api,
    MILLRACE_FEEDS: JSON.stringify([
      { feed: 'usage', topic: usage, subscription: usage, namespace: LOCAL_FEED.namespace },
      { feed: 'api', topic: api, subscription: api, namespaces: 'attribute' },
    ]),
    MILLRACE_HEALTH_HOST: '127.0.0.1',
    MILLRACE_HEALTH_PORT: '0',
    MILLRACE_LOG_LEVEL: 'error',
  };
}

function backingOn(
  stores: CloudStores,
  environment: Readonly<Record<string, string>>,
): Omit<DemoBacking, 'startPipeline' | 'close'> {
  const { database, warehouse } = stores;
  const usage = stores.feeds.find(({ feed }) => feed === LOCAL_FEED.feed);
  if (usage === undefined) throw new RangeError(`there is no feed ${LOCAL_FEED.feed}`);
  return {
    name: 'gcp',
    stores: { database, warehouse, topic: usage.topic },
    data: `the emulators of Spanner, Pub/Sub and BigQuery, which end with the demo`,
    scale: SCALE,
    startApi: () => startApi({ arguments: [], environment }),
    isDrained: async (sent) => {
      await sleep(COUNT_EVERY_MS);
      return isCounted(stores, sent);
    },
  };
}

type PipelinePlace = CloudBackingOptions & { readonly environment: Readonly<Record<string, string>> };

/** A worker of a fleet, or the job of an engine. */
function pipelineOn(
  stores: CloudStores,
  { directory, runner, environment }: PipelinePlace,
): DemoBacking['startPipeline'] {
  const start = (of: Readonly<Record<string, string>>): Promise<DemoPipeline> =>
    runner === undefined
      ? pipelineOfProcesses(() => startWorker(of))
      : startPortablePipeline({
          ...{ engine: runner, environment: of, say },
          ...{ stores, folder: join(directory, runner) },
        });
  return async (latenessSeconds) => {
    const pipeline = await start({ ...environment, MILLRACE_LATENESS_SECONDS: String(latenessSeconds) });
    await untilHeardOf(stores, pipeline);
    return pipeline;
  };
}

/** The watermark of a fleet stands still for some deadlines after a worker was killed, so it has to be somewhere before. */
async function untilHeardOf({ database }: CloudStores, pipeline: DemoPipeline): Promise<void> {
  while ((await readFreshness(database, LOCAL_FEED.namespace)) === undefined) {
    if (!pipeline.isRunning) throw new Error('the pipeline has ended by itself');
    await sleep(POLL_MS);
  }
}

/** An emulator knows no backlog: everything is in when as much is stored as was sent. What is stored is compared later. */
async function isCounted({ database, warehouse }: CloudStores, sent: readonly Planned[]): Promise<boolean> {
  const { events, conflicts, deadLetters } = storable(sent);
  if ((await countEvents({ database })) < events) return false;
  if ((await countConflicts({ database })) < conflicts) return false;
  if (sumOf(await countDeadLetters({ database })) < deadLetters) return false;
  const times = sent.flatMap(({ fact }) => (fact === undefined ? [] : [Date.parse(fact.time)]));
  const range = {
    from: new Date(times.reduce((a, b) => Math.min(a, b))).toISOString(),
    to: new Date(times.reduce((a, b) => Math.max(a, b)) + 1).toISOString(),
  };
  let appended = 0;
  const rows = warehouse.query('events_exact', { namespace: LOCAL_FEED.namespace, ...range });
  for await (const _ of rows) appended++;
  return appended >= events;
}
