import type { Instant } from '#domain/instant.ts';
import { migrateSpanner } from '#infra/database/spanner/migrate.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { provisionPubsub } from '#infra/topic/pubsub/provision.ts';
import { migrateBigQuery } from '#infra/warehouse/bigquery/migrate.ts';
import { isOnEmulators, type CloudSettings } from './settings.ts';

/**
 * Makes on emulators what Terraform makes in a project, and brings the schemas of both stores to what this release declares. Any number of
 * processes may do so at once. In a project it throws: there a migration is a step of its own.
 */
export async function prepareCloud(settings: CloudSettings, clock: () => Instant): Promise<void> {
  if (!isOnEmulators(settings))
    throw new Error(
      'only emulators are prepared by the programs that use them; a project needs `npm run migrate`',
    );
  await migrateStores(settings, clock);
  await provisionTopics(settings);
}

/** Prepares emulators; a project is left as it is. */
export async function prepareIfOnEmulators(settings: CloudSettings, clock: () => Instant): Promise<void> {
  if (isOnEmulators(settings)) await prepareCloud(settings, clock);
}

/** Database and warehouse, on emulators and in a project alike. */
export async function migrateStores(settings: CloudSettings, clock: () => Instant): Promise<void> {
  const { projectId, spanner, bigquery } = settings;
  await migrateSpanner({ projectId, ...spanner, tables: CLOUD_TABLES, clock });
  await migrateBigQuery({ projectId, ...bigquery });
}

async function provisionTopics({ projectId, pubsub }: CloudSettings): Promise<void> {
  const { ackDeadlineSeconds, emulatorHost } = pubsub;
  const place = { projectId, ...(emulatorHost === undefined ? {} : { emulatorHost }) };
  await provisionPubsub(
    place,
    pubsub.feeds.map(({ topic, subscription }) => ({
      topic,
      subscriptions: [{ name: subscription, ackDeadlineSeconds }],
    })),
  );
}
