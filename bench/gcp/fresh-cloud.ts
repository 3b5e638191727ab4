import { randomBytes } from 'node:crypto';
import { prepareCloud } from '#infra/cloud/prepare-cloud.ts';
import { openCloud, type CloudStores } from '#infra/cloud/open-cloud.ts';
import { readCloudSettings, type CloudSettings } from '#infra/cloud/settings.ts';
import { dropDatabase } from '#infra/database/spanner/admin.ts';
import { isRunning } from '#infra/emulators/emulator.ts';
import { EMULATOR_NAMES } from '#infra/emulators/emulator.ts';
import { openEmulators, variablesOf } from '#infra/emulators/open-emulators.ts';
import { systemScheduler } from '#infra/scheduler.ts';

/** The three emulators, for as long as the measurements take. */
export interface BenchCloud {
  /** Stores of their own, empty. Closing them removes the database. */
  fresh(): Promise<FreshCloud>;
  stop(): Promise<void>;
}

export interface FreshCloud {
  readonly settings: CloudSettings;
  /** The same as other processes read them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stores: CloudStores;
  close(): Promise<void>;
}

const NAME_BYTES = 4;

/** Undefined, and said why, where one of them cannot be had. */
export async function startCloud(say: (line: string) => void): Promise<BenchCloud | undefined> {
  const emulators = await openEmulators(EMULATOR_NAMES, { environment: process.env, say });
  const running = emulators.filter(isRunning);
  const stop = async (): Promise<void> => void (await Promise.all(running.map((each) => each.stop())));
  for (const each of emulators)
    if (!isRunning(each)) say(`not run: no emulator: ${each.name} ${each.reason}`);
  if (running.length < emulators.length) {
    await stop();
    return undefined;
  }
  const variables = variablesOf(emulators, process.env);
  return { stop, fresh: () => openFresh(variables) };
}

async function openFresh(variables: Readonly<Record<string, string>>): Promise<FreshCloud> {
  const suffix = randomBytes(NAME_BYTES).toString('hex');
  const feed = (name: string) => ({
    feed: name,
    topic: `bench-${name}-${suffix}`,
    subscription: `bench-${name}-${suffix}`,
  });
  const environment = {
    ...variables,
    MILLRACE_SPANNER_DATABASE: `bench-${suffix}`,
    MILLRACE_BIGQUERY_DATASET: `bench_${suffix}`,
    MILLRACE_API_TOPIC: `bench-api-${suffix}`,
    MILLRACE_FEEDS: JSON.stringify([
      { ...feed('usage'), namespace: 'default' },
      { ...feed('api'), namespaces: 'attribute' },
    ]),
    // Longer than a round takes, so that nothing comes twice however slow the machine is.
    MILLRACE_ACK_DEADLINE_SECONDS: '600',
  };
  const settings = readCloudSettings(environment);
  const { now } = systemScheduler;
  await prepareCloud(settings, now);
  const { commitDelayMs } = settings;
  const stores = await openCloud({ settings, clock: now, tag: 'bench', commitDelayMs });
  return {
    ...{ settings, environment, stores },
    close: async () => {
      await stores.close();
      await dropDatabase({ projectId: settings.projectId, ...settings.spanner });
    },
  };
}
