import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { LOCAL_FEED, openLocal, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { eventually } from './eventually.ts';

export const { namespace: NAMESPACE } = LOCAL_FEED;

/** What a test runs beside the stores; each is ended, whatever becomes of the test. */
export interface Cleanup {
  /** The last registered ends first. */
  defer(end: () => Promise<unknown>): void;
}

/** Runs a test in a temporary directory that is removed afterwards, once everything that was deferred has ended. */
export async function inLocalDirectory(
  test: (directory: string, cleanup: Cleanup) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-local-'));
  const ends: (() => Promise<unknown>)[] = [];
  try {
    await test(directory, { defer: (end) => void ends.unshift(end) });
  } finally {
    for (const end of ends) await end();
    await rm(directory, { recursive: true, force: true });
  }
}

export const openStores = (directory: string): Promise<LocalStores> =>
  openLocal({ directory, clock: systemScheduler.now });

export async function saveMeters(
  { database }: LocalStores,
  meters: Readonly<Record<string, MeterDefinition>>,
): Promise<void> {
  for (const [key, definition] of Object.entries(meters)) {
    await putMeter(database, { namespace: NAMESPACE, key, definition });
  }
}

/** Everything published is committed, appended and acknowledged. */
export async function drained({ topic }: LocalStores, explain: () => string = () => ''): Promise<void> {
  await eventually(
    'everything published is acknowledged',
    async () => (await topic.backlog()).messages === 0,
    {
      explain,
    },
  );
}
