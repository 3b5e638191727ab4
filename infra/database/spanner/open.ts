import type { Instant } from '#domain/instant.ts';
import type { Table } from '../table.ts';
import type { CallOptions } from './call-options.ts';
import { connectSpanner } from './connection.ts';
import type { SpannerAddress } from './connection.ts';
import { databaseOn } from './database-on.ts';
import type { SpannerDatabase } from './database-on.ts';
import { checkMigrations, latestVersion } from './migrate.ts';
import type { SpannerMigration } from './migrate.ts';
import { checkSchema } from './schema.ts';

export interface SpannerOptions extends SpannerAddress, CallOptions {
  readonly tables: readonly Table<object>[];
  /** Those that the schema has been brought through. */
  readonly migrations?: readonly SpannerMigration[];
  readonly clock: () => Instant;
}

export type { SpannerDatabase };

/**
 * Opens a database whose schema is migrated (`migrateSpanner`). Throws `SchemaTooNew` where a newer release has been, and `StoreFailure`
 * where the migrations have not, or Spanner cannot be reached.
 */
export async function openSpanner(options: SpannerOptions): Promise<SpannerDatabase> {
  const { tables, migrations = [], clock } = options;
  checkMigrations(migrations);
  const connection = connectSpanner(options);
  try {
    const database = databaseOn(connection, tables, clock).withOptions(options);
    await checkSchema(connection, tables, latestVersion(migrations));
    return database;
  } catch (error) {
    await connection.close();
    throw error;
  }
}
