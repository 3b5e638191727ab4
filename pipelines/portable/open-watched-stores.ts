import { MICROS_PER_MILLI, MICROS_PER_SECOND } from '#domain/instant.ts';
import { readBackend } from '#infra/cloud/backend.ts';
import { openCloud } from '#infra/cloud/open-cloud.ts';
import { prepareIfOnEmulators } from '#infra/cloud/prepare-cloud.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import type { HeldBounds } from '#infra/fleet/holder.ts';
import { fleetWindows } from '#infra/fleet/windows.ts';
import { openLocal } from '#infra/local/open-local.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { readEmbedded, readHeldBounds } from './worker-variables.ts';

/** The stores of the job's workers, for whoever watches it: only their database is asked. */
export interface WatchedStores {
  readonly stores: OpenedStores;
  /** So long the watermark may stand though messages are committed: until nobody can have any more what a process held that has died. */
  readonly stillMs: number;
}

/** Opens what the environment names, and prepares it where it is an emulator or missing on this machine, so that workers find it ready. */
export async function openWatchedStores(
  environment: NodeJS.ProcessEnv,
  { now }: Pick<Scheduler, 'now'>,
): Promise<WatchedStores> {
  if (readBackend(environment) === 'embedded') {
    const { directory, ackDeadlineSeconds } = readEmbedded(environment);
    const stores = await openLocal({ directory, clock: now, ackDeadlineSeconds });
    return { stores, stillMs: ackDeadlineSeconds * 1_000 };
  }
  const settings = readCloudSettings(environment);
  await prepareIfOnEmulators(settings, now);
  const stores = await openCloud({ settings, clock: now, tag: 'pipeline' });
  return { stores, stillMs: stillMsOfFleet(settings.pubsub.ackDeadlineSeconds, readHeldBounds(environment)) };
}

/** The claim of a worker that has died; or of one that lives, for what a sink acknowledged that died before it could say so. */
function stillMsOfFleet(ackDeadlineSeconds: number, { secondsMax }: HeldBounds): number {
  const { expiryMicros, rememberMicros } = fleetWindows(ackDeadlineSeconds);
  return Math.max(expiryMicros, secondsMax * MICROS_PER_SECOND + rememberMicros) / MICROS_PER_MILLI;
}
