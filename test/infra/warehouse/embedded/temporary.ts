import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { openSqlite } from '#infra/database/sqlite/open.ts';
import {
  openEmbeddedWarehouse,
  type EmbeddedWarehouse,
} from '#infra/warehouse/embedded/embedded-warehouse.ts';
import { warehouseSegment } from '#infra/warehouse/segment.ts';

export const systemClock = (): Instant => Date.now() * 1_000;

/** The database that holds the manifest of a warehouse in this directory. */
export const openManifestDatabase = (directory: string): Database =>
  openSqlite({ path: join(directory, 'manifest.sqlite'), tables: [warehouseSegment], clock: systemClock });

export interface OpenedDirectory {
  readonly warehouse: EmbeddedWarehouse;
  readonly database: Database;
  readonly close: () => Promise<void>;
}

/** A warehouse over `directory`, as each process opens one. */
export async function openWarehouseIn(directory: string, now = systemClock): Promise<OpenedDirectory> {
  const database = openManifestDatabase(directory);
  const warehouse = await openEmbeddedWarehouse({ directory: join(directory, 'segments'), database, now });
  return {
    warehouse,
    database,
    close: async () => {
      await warehouse.close();
      await database.close();
    },
  };
}

export interface TemporaryWarehouse extends OpenedDirectory {
  readonly directory: string;
  readonly dispose: () => Promise<void>;
}

/** In a directory whose name would upset careless SQL and careless patterns. */
export async function openTemporaryWarehouse(now = systemClock): Promise<TemporaryWarehouse> {
  const directory = await mkdtemp(join(tmpdir(), "millrace it's [a] *test? "));
  const opened = await openWarehouseIn(directory, now);
  return {
    ...opened,
    directory,
    dispose: async () => {
      await opened.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
