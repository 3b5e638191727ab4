import { BigQuery } from '@google-cloud/bigquery';
import { adapt, managedwriter } from '@google-cloud/bigquery-storage';
import { PubSub } from '@google-cloud/pubsub';
import { Spanner } from '@google-cloud/spanner';
import { credentials } from '@grpc/grpc-js';
import type { CloudSettings } from '#infra/cloud/settings.ts';
import { splitAddress } from '#infra/emulators/loopback.ts';
import { fieldsOf, tableMetadata } from '#infra/warehouse/bigquery/table-schema.ts';
import { EVENTS } from '#infra/warehouse/tables.ts';

/** The vendors' clients as their guides show them. */

export const EVENTS_PER_BATCH = 500;

/** A database of its own on the emulator. */
export async function bareDatabase(
  { projectId, spanner: { instance, emulatorHost = '' } }: CloudSettings,
  name: string,
  schema: string[],
) {
  // The emulator knows no multiplexed sessions.
  process.env['GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS'] = 'false';
  const { host: servicePath, port } = splitAddress(emulatorHost);
  const sslCreds = credentials.createInsecure();
  const spanner = new Spanner({ projectId, servicePath, port, sslCreds, disableBuiltInMetrics: true });
  const [, operation] = await spanner.instance(instance).createDatabase(name, { schema });
  await operation.promise();
  const database = spanner.instance(instance).database(name);
  return {
    database,
    close: async () => {
      await database.delete();
      await spanner.close();
    },
  };
}

export async function barePubsub({ projectId, pubsub: { emulatorHost = '' } }: CloudSettings, name: string) {
  const pubsub = new PubSub({ projectId, apiEndpoint: emulatorHost, emulatorMode: true });
  const [topic] = await pubsub.createTopic(name);
  topic.setPublishOptions({ batching: { maxMessages: EVENTS_PER_BATCH, maxMilliseconds: 20 } });
  await topic.createSubscription(name, { ackDeadlineSeconds: 600 });
  const subscription = pubsub.subscription(name, {
    flowControl: { maxMessages: 10 * EVENTS_PER_BATCH, allowExcessMessages: false },
  });
  return { pubsub, topic, subscription };
}

export async function bareBigQuery(
  { projectId, bigquery: { dataset, emulator } }: CloudSettings,
  name: string,
) {
  if (emulator === undefined) throw new Error('there is no emulator of BigQuery');
  const bigquery = new BigQuery({ projectId, apiEndpoint: emulator.rest, maxRetries: 0, autoRetry: false });
  const table = name.replaceAll('-', '_');
  await bigquery.dataset(dataset).createTable(table, tableMetadata(EVENTS));
  const writer = new managedwriter.WriterClient({
    ...{ projectId, apiEndpoint: emulator.grpcHost, port: emulator.grpcPort },
    sslCreds: credentials.createInsecure(),
  });
  const destinationTable = `projects/${projectId}/datasets/${dataset}/tables/${table}`;
  await writer.getWriteStream({ streamId: `${destinationTable}/streams/_default` });
  const connection = await writer.createStreamConnection({
    streamId: managedwriter.DefaultStream,
    destinationTable,
  });
  const protoDescriptor = adapt.convertStorageSchemaToProto2Descriptor(
    adapt.convertBigQuerySchemaToStorageTableSchema({ fields: fieldsOf(EVENTS) }),
    'root',
  );
  const rows = new managedwriter.JSONWriter({ connection, protoDescriptor });
  return {
    append: async (added: Parameters<typeof rows.appendRows>[0]): Promise<void> => {
      const { error } = await rows.appendRows(added).getResult();
      if (error) throw new Error(error.message ?? 'an append failed');
    },
    close: () => {
      rows.close();
      writer.close();
    },
  };
}
