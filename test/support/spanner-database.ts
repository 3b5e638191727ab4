import { systemScheduler } from '#infra/scheduler.ts';
import { dropDatabase, ensureDatabase, updateDdl } from '#infra/database/spanner/admin.ts';
import { connectSpanner } from '#infra/database/spanner/connection.ts';
import type { SpannerAddress } from '#infra/database/spanner/connection.ts';
import { databaseOn } from '#infra/database/spanner/database-on.ts';
import { spannerDdl } from '#infra/database/spanner/ddl.ts';
import type { Table } from '#infra/database/table.ts';
import type { OpenedDatabase } from '#test/contract/database/support.ts';
import type { SuiteEmulators } from './emulators.ts';

export const spannerAddress = (
  { projectId, spannerInstance: instance, spannerHost: emulatorHost }: SuiteEmulators,
  database: string,
): SpannerAddress => ({ projectId, instance, database, emulatorHost });

let made = 0;

/** A database of its own on the emulator, empty, and gone when it is closed. */
export async function openTemporarySpanner(
  emulators: SuiteEmulators,
  tables: readonly Table<object>[],
): Promise<OpenedDatabase> {
  const address = spannerAddress(emulators, `${emulators.spannerDatabase}-${++made}`);
  await ensureDatabase(address);
  const open = () => databaseOn(connectSpanner(address), tables, systemScheduler.now);
  let current = open();
  await withSchema(address, tables);
  return {
    database: current,
    reopen: async () => {
      await current.close();
      current = open();
      return current;
    },
    close: async () => {
      await current.close();
      await dropDatabase(address);
    },
  };
}

/** Without asking first what is there, as migrations do: many tests make a database, and on the emulator such questions are slow. */
async function withSchema(address: SpannerAddress, tables: readonly Table<object>[]): Promise<void> {
  const connection = connectSpanner(address);
  try {
    await updateDdl(connection, spannerDdl(tables));
  } finally {
    await connection.close();
  }
}
