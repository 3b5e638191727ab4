import type { Alignment, Subscription } from '#domain/subscriptions/subscription.ts';
import { column, defineTable, jsonColumn, nullable, type Table } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

/** A subscription whole: its timeline is one document, which only ever changes as a whole. */
export const subscription = defineTable('subscription', {
  columns: {
    namespace: column('string'),
    id: column('string'),
    customer: column('string'),
    currency: column('string'),
    timezone: column('string'),
    alignment: jsonColumn<Alignment>(),
    seller: column('string'),
    startAt: column('timestamp'),
    endAt: nullable('timestamp'),
    terms: jsonColumn<Subscription['terms']>(),
    spendThreshold: nullable('string'),
    metadata: jsonColumn<Readonly<Record<string, string>>>(),
    createdAt: column('timestamp'),
    updatedAt: column('timestamp'),
  },
  key: ['namespace', 'id'],
  indexes: { byCustomer: { columns: ['namespace', 'customer', 'id'] } },
});

/**
 * Which subscriptions are on a plan version, or will be, as of when they were changed last: one that has left it since, because a planned
 * change came, is still named. Who moves subscriptions looks at their terms.
 */
export const versionSubscription = defineTable('version_subscription', {
  columns: {
    namespace: column('string'),
    plan: column('string'),
    version: column('int64'),
    subscription: column('string'),
  },
  key: ['namespace', 'plan', 'version', 'subscription'],
});

export type SubscriptionRow = Row<typeof subscription>;

export const SUBSCRIPTION_TABLES: readonly Table<object>[] = [subscription, versionSubscription];
