import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { prepareIfOnEmulators } from '#infra/cloud/prepare-cloud.ts';
import { isOnEmulators, type CloudSettings } from '#infra/cloud/settings.ts';
import type { Database } from '#infra/database/database.ts';
import { openSpanner } from '#infra/database/spanner/open.ts';
import { openSqlite } from '#infra/database/sqlite/open.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { tryLock } from '#infra/topic/embedded/lock.ts';
import { LOCAL_TABLES, localPaths } from '../open-local.ts';
import type { StartSettings } from './settings.ts';
import type { Supervised } from './supervisor.ts';

/** What `npm start` has to know of the stores that its processes open. */
export interface Backing {
  /** Where the data lies, for a person. */
  readonly data: string;
  /** The program that commits, started by its path. */
  readonly pipeline: Pick<Supervised, 'modulePath' | 'arguments' | 'environment'>;
  /** What the API is told beside where it listens. */
  readonly apiArguments: readonly string[];
  /** Makes what is missing, and keeps others off what only one server may have. Throws an error that says what to do. */
  claim(): Promise<{ release(): void }>;
  openDatabase(): Promise<Database>;
}

const EMBEDDED_PIPELINE = fileURLToPath(new URL('../../../pipelines/embedded/main.ts', import.meta.url));
const FLEET_WORKER = fileURLToPath(new URL('../../../pipelines/fleet/main.ts', import.meta.url));

/** What a pipeline that was killed had in hand comes again after so long. While one lives it extends its leases at a third of it. */
const ACK_DEADLINE_SECONDS = 15;
const { now: clock } = systemScheduler;

/** One server a directory: a second one would share its events and fight for its port, and is nearly always started by mistake. */
export const embeddedBacking = ({
  directory,
  latenessSeconds,
  logLevel,
}: Pick<StartSettings, 'directory' | 'latenessSeconds' | 'logLevel'>): Backing => ({
  data: directory,
  pipeline: {
    modulePath: EMBEDDED_PIPELINE,
    arguments: () => [
      `--directory=${directory}`,
      `--lateness-seconds=${latenessSeconds}`,
      `--ack-deadline-seconds=${ACK_DEADLINE_SECONDS}`,
      `--log-level=${logLevel}`,
    ],
  },
  apiArguments: [`--directory=${directory}`],
  claim: async () => {
    await mkdir(directory, { recursive: true });
    const lock = tryLock(directory, 'server');
    if (lock !== undefined) return lock;
    throw new Error(
      `another server runs on ${directory}. Stop it, or choose another directory with MILLRACE_DATA_DIR and another port with MILLRACE_PORT.`,
    );
  },
  openDatabase: async () => openSqlite({ path: localPaths(directory).database, tables: LOCAL_TABLES, clock }),
});

/** Any number of servers and workers may share the stores of a project. */
export function cloudBacking(
  cloud: CloudSettings,
  { latenessSeconds, logLevel }: Pick<StartSettings, 'latenessSeconds' | 'logLevel'>,
): Backing {
  const { projectId, spanner, bigquery } = cloud;
  const where = isOnEmulators(cloud) ? 'emulators' : `the project ${projectId}`;
  return {
    data: `${where}: Spanner ${spanner.instance}/${spanner.database}, BigQuery ${bigquery.dataset}`,
    pipeline: {
      modulePath: FLEET_WORKER,
      arguments: () => [],
      environment: {
        MILLRACE_LATENESS_SECONDS: String(latenessSeconds),
        MILLRACE_LOG_LEVEL: logLevel,
        // Beside a server of one machine nobody from outside asks how the worker does.
        MILLRACE_HEALTH_HOST: '127.0.0.1',
        MILLRACE_HEALTH_PORT: '0',
      },
    },
    apiArguments: [],
    claim: async () => {
      await prepareIfOnEmulators(cloud, clock);
      return { release: () => undefined };
    },
    openDatabase: () => openSpanner({ projectId, ...spanner, tables: CLOUD_TABLES, clock, tag: 'start' }),
  };
}
