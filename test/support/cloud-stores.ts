import { openCloud, type CloudStores } from '#infra/cloud/open-cloud.ts';
import { prepareCloud } from '#infra/cloud/prepare-cloud.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { SuiteEmulators } from './emulators.ts';

/** The environment of every program of a suite: its emulators, and topics that no other suite has. */
export function cloudEnvironment({ environment, pubsubName }: SuiteEmulators): Record<string, string> {
  const [usage, api] = [pubsubName('usage'), pubsubName('api')];
  return {
    ...environment,
    MILLRACE_BACKEND: 'gcp',
    MILLRACE_API_TOPIC: api,
    MILLRACE_FEEDS: JSON.stringify([
      { feed: 'usage', topic: usage, subscription: usage, namespace: 'default' },
      { feed: 'api', topic: api, subscription: api, namespaces: 'attribute' },
    ]),
  };
}

/** The stores of a suite, prepared and opened. */
export async function openCloudStores(environment: Readonly<Record<string, string>>): Promise<CloudStores> {
  const settings = readCloudSettings(environment);
  await prepareCloud(settings, systemScheduler.now);
  return openCloud({ settings, clock: systemScheduler.now, tag: 'test' });
}
