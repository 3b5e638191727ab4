import { setTimeout } from 'node:timers/promises';
import { StoreFailure } from '../errors.ts';
import { connectSpanner } from './connection.ts';
import type { Connection, SpannerAddress } from './connection.ts';
import { isAlreadyThere, isBusyWithAnother, toStoreError } from './status-code.ts';

const EMULATOR_CONFIG = 'emulator-config';
const NODES = 1;
const BUSY_RETRIES_MAX = 200;
const BUSY_PAUSE_MS = 50;

/** Makes the instance and the database, on an emulator, where they are missing. Elsewhere they are the operator's, who pays for them. */
export async function ensureDatabase(address: SpannerAddress): Promise<void> {
  const { projectId, instance, database } = address;
  const connection = connectSpanner(address);
  const { spanner, name } = connection;
  const parent = `projects/${projectId}`;
  try {
    await unlessThere(async () => {
      const [operation] = await spanner.getInstanceAdminClient().createInstance({
        parent,
        instanceId: instance,
        instance: {
          config: `${parent}/instanceConfigs/${EMULATOR_CONFIG}`,
          displayName: instance,
          nodeCount: NODES,
        },
      });
      await operation.promise();
    });
    await unlessThere(async () => {
      const [operation] = await spanner.getDatabaseAdminClient().createDatabase({
        parent: `${parent}/instances/${instance}`,
        createStatement: `CREATE DATABASE \`${database}\``,
      });
      await operation.promise();
    });
  } catch (error) {
    throw toStoreError(error, name);
  } finally {
    await connection.close();
  }
}

async function unlessThere(make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  }
}

/** Applies the statements in their order, as one change, and waits until it is done: an index until it is filled. */
export async function updateDdl(connection: Connection, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  for (let tries = 1; ; tries++) {
    try {
      const [operation] = await connection.spanner
        .getDatabaseAdminClient()
        .updateDatabaseDdl({ database: connection.name, statements: [...statements] });
      await operation.promise();
      return;
    } catch (error) {
      if (!isBusyWithAnother(error)) throw toStoreError(error, connection.name);
      if (tries >= BUSY_RETRIES_MAX)
        throw new StoreFailure(`${connection.name}: the schema was always being changed by others`, error);
      await setTimeout(BUSY_PAUSE_MS);
    }
  }
}

/** For tests on an emulator, which keeps everything in memory. */
export async function dropDatabase(address: SpannerAddress): Promise<void> {
  const connection = connectSpanner(address);
  try {
    if (!connection.isEmulator) throw new StoreFailure(`${connection.name} is no emulator's`);
    await connection.spanner.getDatabaseAdminClient().dropDatabase({ database: connection.name });
  } catch (error) {
    throw toStoreError(error, connection.name);
  } finally {
    await connection.close();
  }
}
