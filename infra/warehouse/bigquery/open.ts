import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { createGate } from '../gate.ts';
import { meteredFromRows } from '../metered-event.ts';
import { EVENTS, WAREHOUSE_TABLES } from '../tables.ts';
import type { Warehouse } from '../warehouse.ts';
import { createAppender, type Appender } from './append/appender.ts';
import { putEvent } from './append/event-message.ts';
import { putRowOf } from './append/row-message.ts';
import { connectAppends, connectQueries, type BigQueryPlace } from './connection.ts';
import { runQuery, type QuerySettings } from './run-query.ts';
import { checkSchema } from './schema-version.ts';

/** Questions under way at once; what comes beyond waits its turn. BigQuery itself queues a hundred or more of a project. */
export const QUERIES_AT_ONCE_MAX = 32;

export interface BigQueryOptions extends BigQueryPlace, QuerySettings {
  readonly scheduler?: Scheduler | undefined;
  /** From 0 to 1: spreads the tries of many processes that failed together. */
  readonly random?: (() => number) | undefined;
}

/** The port on BigQuery. */
export interface BigQueryWarehouse extends Warehouse {
  readonly dataset: string;
}

/**
 * Opens a dataset that `migrateBigQuery` has prepared. Throws `WarehouseTooNew` where a newer release did, `WarehouseUnavailable` where
 * none has yet.
 */
export async function openBigQuery(options: BigQueryOptions): Promise<BigQueryWarehouse> {
  const { projectId, dataset, scheduler = systemScheduler, random = Math.random } = options;
  const bigquery = connectQueries(options);
  await checkSchema(bigquery, dataset);
  const client = connectAppends(options);
  const appenders = new Map<string, Appender>();
  const gate = createGate(QUERIES_AT_ONCE_MAX);

  function appenderOf(name: string): Appender {
    const table = tableNamed(name);
    const appender =
      appenders.get(name) ?? createAppender({ client, projectId, dataset, table, scheduler, random });
    appenders.set(name, appender);
    return appender;
  }

  const query: Warehouse['query'] = (name, parameters) =>
    runQuery({ ...options, bigquery, gate }, name, parameters);

  return {
    dataset,
    append: async (table, rows) => appenderOf(table).append(putRowOf(tableNamed(table)), rows),
    appendEvents: async (rows) => appenderOf(EVENTS.name).append(putEvent, rows),
    query,
    meteredEvents: (parameters) => meteredFromRows(query('metered_events', parameters)),
    close: async () => {
      await Promise.all([gate.close(), ...[...appenders.values()].map((appender) => appender.close())]);
      await client.close();
    },
  };
}

function tableNamed(name: string): (typeof WAREHOUSE_TABLES)[number] {
  const table = WAREHOUSE_TABLES.find((declared) => declared.name === name);
  if (table === undefined) throw new RangeError(`the warehouse has no table ${name}`);
  return table;
}
