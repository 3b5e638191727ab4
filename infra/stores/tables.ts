import { ACCESS_TABLES } from '#infra/access/tables.ts';
import { AUDIT_TABLES } from '#infra/audit/tables.ts';
import { BACKFILL_TABLES } from '#infra/backfill/tables.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { CORRECTION_TABLES } from '#infra/corrections/tables.ts';
import { CUSTOMER_TABLES } from '#infra/customers/tables.ts';
import type { Table } from '#infra/database/table.ts';
import { ENTITLEMENT_TABLES } from '#infra/entitlements/tables.ts';
import { FLEET_TABLES } from '#infra/fleet/tables.ts';
import { IDEMPOTENCY_TABLES } from '#infra/idempotency/tables.ts';
import { IMPORT_TABLES } from '#infra/imports/tables.ts';
import { INVOICING_TABLES } from '#infra/invoicing/tables.ts';
import { PLAN_TABLES } from '#infra/plans/tables.ts';
import { RECONCILE_TABLES } from '#infra/reconcile/tables.ts';
import { SELLER_TABLES } from '#infra/sellers/tables.ts';
import { SUBSCRIPTION_TABLES } from '#infra/subscriptions/tables.ts';
import { USAGE_TABLES } from '#infra/usage/tables.ts';

/** Every table of the platform, in every database. */
export const PLATFORM_TABLES: readonly Table<object>[] = [
  ...ACCESS_TABLES,
  ...AUDIT_TABLES,
  ...BACKFILL_TABLES,
  ...CATALOGUE_TABLES,
  ...CORRECTION_TABLES,
  ...CUSTOMER_TABLES,
  ...ENTITLEMENT_TABLES,
  ...IDEMPOTENCY_TABLES,
  ...IMPORT_TABLES,
  ...INVOICING_TABLES,
  ...PLAN_TABLES,
  ...RECONCILE_TABLES,
  ...SELLER_TABLES,
  ...SUBSCRIPTION_TABLES,
  ...USAGE_TABLES,
];

/** Of a database that several machines share: what its workers tell each other. */
export const CLOUD_TABLES: readonly Table<object>[] = [...PLATFORM_TABLES, ...FLEET_TABLES];
