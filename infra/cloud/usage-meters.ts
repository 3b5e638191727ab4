import { meterVersion } from '#infra/catalogue/tables.ts';
import type { Database } from '#infra/database/database.ts';
import type { MeteredBy } from '#infra/warehouse/bigquery/views/usage.ts';

/**
 * Every generation of every meter, of all namespaces, as the usage views of the warehouse need them: a retired generation keeps its usage.
 * Versions that share a generation count alike.
 */
export async function readUsageMeters(database: Database): Promise<MeteredBy[]> {
  const meters = new Map<string, MeteredBy>();
  for await (const { namespace, key, generation, definition } of database.scan(meterVersion, {
    prefix: [],
  })) {
    const { aggregation, value } = definition;
    const label = `${key}@${generation}`;
    meters.set(`${namespace} ${label}`, { namespace, label, aggregation, value });
  }
  return [...meters.values()];
}
