import { endRetiredVersions } from '#infra/catalogue/end-retired.ts';
import type { Database } from '#infra/database/database.ts';
import { lapseNamespaces } from '#infra/entitlements/lapse-namespaces.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { publishHeartbeat } from '#infra/topic/heartbeat.ts';
import type { Topic } from '#infra/topic/topic.ts';
import { createRoller } from '#infra/usage/roll-namespaces.ts';
import type { Errand } from './errand.ts';
import type { Log } from './log.ts';

const ROLL_EVERY_MS = 1_000;
const LAPSE_EVERY_MS = 5_000;
const HEARTBEAT_EVERY_MS = 30_000;
const MAINTENANCE_EVERY_MS = 60_000;
const END_RETIRED_EVERY_MS = 60_000;

export interface UsageErrandsOptions {
  readonly name: string;
  readonly database: Database;
  readonly topics: readonly Pick<Topic, 'publish'>[];
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** Upkeep of the stores, once a minute: expiry, retention, compaction. */
  readonly maintain?: () => Promise<void>;
}

/** What every mode does beside its bundles: rolls days, ends holds, keeps idle feeds moving, and looks after its stores. */
export function usageErrands(options: UsageErrandsOptions): readonly Errand[] {
  const { name, database, topics, scheduler, log, maintain } = options;
  const roller = createRoller(database);
  const roll = async (): Promise<void> => {
    const days = await roller.roll();
    if (days > 0) log.info({ days, runner: name }, 'rolled into day rows');
  };
  /** Gives back what was reserved for events that never came. */
  const lapse = async (): Promise<void> => {
    const holds = await lapseNamespaces(database, scheduler.now());
    if (holds > 0) log.info({ holds, runner: name }, 'reservations lapsed');
  };
  const endRetired = async (): Promise<void> => {
    const versions = await endRetiredVersions(database, scheduler.now());
    if (versions > 0) log.info({ versions, runner: name }, 'versions of meters have ended');
  };
  return [
    { everyMs: END_RETIRED_EVERY_MS, run: endRetired },
    { everyMs: ROLL_EVERY_MS, run: roll },
    { everyMs: LAPSE_EVERY_MS, run: lapse },
    ...topics.map((topic) => ({ everyMs: HEARTBEAT_EVERY_MS, run: () => publishHeartbeat(topic) })),
    ...(maintain === undefined ? [] : [{ everyMs: MAINTENANCE_EVERY_MS, run: maintain }]),
  ];
}
